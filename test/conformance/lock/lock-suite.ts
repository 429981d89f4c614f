/** What every ClusterLock promises. */
import { afterEach, describe, expect, test } from "vitest";
import type { ClusterLock, MasterAddress, NodeAnnouncement } from "../../../src/coordination/cluster-lock.ts";
import { until } from "../../fixtures/until.ts";

export interface LockUnderTest {
  /** The cluster's lock as another process sees it (as another part of this one, where only one may open it). */
  another(): Promise<ClusterLock>;
  /** Lets this much of the lock's time pass. */
  elapse(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** Long enough that a slow machine renews in time, short enough to wait for. */
export const TTL_MS = 1_000;

export function masterAddress(incarnation: string, epoch = 7): MasterAddress {
  return { address: "10.0.0.1:7070", nodeId: `node-${incarnation}`, incarnation, epoch, cluster: "c" };
}

export function announcement(nodeId: string, incarnation = "a"): NodeAnnouncement {
  return { address: "10.0.0.1:7070", nodeId, incarnation };
}

export function describeLock(name: string, open: () => Promise<LockUnderTest>): void {
  describe(name, () => {
    let underTest: LockUnderTest | null = null;
    afterEach(async () => {
      await underTest?.close();
      underTest = null;
    });
    async function pair(): Promise<[ClusterLock, ClusterLock, LockUnderTest]> {
      underTest = await open();
      return [await underTest.another(), await underTest.another(), underTest];
    }

    test("is free at first, and is held by who acquired it", async () => {
      const [lock, other] = await pair();
      expect(await lock.holder()).toBeNull();
      expect(await lock.acquire("a")).toBe(true);
      expect(await lock.holder()).toBe("a");
      expect(await other.holder()).toBe("a");
    });

    test("is acquired by one of many that try at once", async () => {
      const [lock, other] = await pair();
      const tries = Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? lock : other).acquire(`${index}`),
      );
      const won = (await Promise.all(tries)).flatMap((acquired, index) => (acquired ? [`${index}`] : []));
      expect(won).toHaveLength(1);
      expect(await lock.holder()).toBe(won[0]);
    });

    test("is not acquired again by its holder", async () => {
      const [lock] = await pair();
      expect(await lock.acquire("a")).toBe(true);
      expect(await lock.acquire("a")).toBe(false);
    });

    test("is renewed and released by its holder only", async () => {
      const [lock, other] = await pair();
      await lock.acquire("a");
      expect(await other.renew("b")).toBe(false);
      expect(await other.release("b")).toBe(false);
      expect(await lock.holder()).toBe("a");
      expect(await lock.renew("a")).toBe(true);
      expect(await lock.release("a")).toBe(true);
      expect(await lock.holder()).toBeNull();
      expect(await lock.release("a")).toBe(false);
    });

    test("is broken by whoever names its holder", async () => {
      const [lock, other] = await pair();
      await lock.acquire("a");
      expect(await other.release("a")).toBe(true);
      expect(await other.acquire("b")).toBe(true);
      expect(await lock.renew("a")).toBe(false);
    });

    test("expires after its ttl, and then neither renews nor releases for the old holder", async () => {
      const [lock, other, { elapse }] = await pair();
      await lock.acquire("a");
      await elapse(TTL_MS + 100);
      expect(await lock.holder()).toBeNull();
      expect(await lock.renew("a")).toBe(false);
      expect(await other.acquire("b")).toBe(true);
      expect(await lock.renew("a")).toBe(false);
      expect(await lock.release("a")).toBe(false);
      expect(await lock.publishMaster(masterAddress("a"))).toBe(false);
      expect(await lock.holder()).toBe("b");
    });

    test("is held beyond its ttl, with the address, while it is renewed", async () => {
      const [lock, other, { elapse }] = await pair();
      await lock.acquire("a");
      await lock.publishMaster(masterAddress("a"));
      for (let round = 0; round < 4; round++) {
        await elapse(TTL_MS / 2);
        expect(await lock.renew("a")).toBe(true);
      }
      expect(await other.holder()).toBe("a");
      expect(await other.readMaster()).toEqual(masterAddress("a"));
    });

    test("stores the master's address for its holder only, and as long as it is held", async () => {
      const [lock, other, { elapse }] = await pair();
      expect(await lock.publishMaster(masterAddress("a"))).toBe(false);
      expect(await other.readMaster()).toBeNull();
      await lock.acquire("a");
      expect(await lock.publishMaster(masterAddress("a", 1_790_000_000_000))).toBe(true);
      expect(await other.publishMaster(masterAddress("b"))).toBe(false);
      expect(await other.readMaster()).toEqual(masterAddress("a", 1_790_000_000_000));
      await lock.release("a");
      expect(await other.readMaster()).toBeNull();
      await lock.acquire("a");
      await lock.publishMaster(masterAddress("a"));
      await elapse(TTL_MS + 100);
      expect(await other.readMaster()).toBeNull();
    });

    test("has one name, for all who share it", async () => {
      const [lock, other] = await pair();
      const lockName = await lock.name();
      expect(lockName).not.toBe("");
      expect([await other.name(), await lock.name()]).toEqual([lockName, lockName]);
    });

    test("tells the others who became master and that it was released", async () => {
      const [lock, other] = await pair();
      const heard: (MasterAddress | null)[] = [];
      const stop = other.onMaster((master) => heard.push(master));
      const stopped: (MasterAddress | null)[] = [];
      other.onMaster((master) => stopped.push(master))();
      await lock.acquire("a");
      await lock.publishMaster(masterAddress("a"));
      await other.publishMaster(masterAddress("b"));
      await lock.release("a");
      await until("both announcements", () => heard.length >= 2);
      expect(heard).toEqual([masterAddress("a"), null]);
      expect(stopped).toEqual([]);
      stop();
    });

    test("lists a node while it is announced again and again, and until it is withdrawn", async () => {
      const [lock, other, { elapse }] = await pair();
      expect(await lock.listNodes()).toEqual([]);
      await lock.announceNode(announcement("n1"), 60_000);
      await lock.announceNode(announcement("n2"), TTL_MS);
      await lock.announceNode(announcement("n3"), 60_000);
      const listed = async () => (await other.listNodes()).map((node) => node.nodeId).toSorted();
      expect(await listed()).toEqual(["n1", "n2", "n3"]);
      await elapse(TTL_MS + 100);
      expect(await listed()).toEqual(["n1", "n3"]);
      await lock.withdrawNode("n1");
      expect(await listed()).toEqual(["n3"]);
      await lock.announceNode(announcement("n3", "b"), 60_000);
      expect(await other.listNodes()).toEqual([announcement("n3", "b")]);
      await lock.announceNode(announcement("n4"), 100);
      expect(await listed()).toEqual(["n3", "n4"]);
    });
  });
}
