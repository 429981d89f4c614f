import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { MasterAddress } from "../../../../src/coordination/cluster-lock.ts";
import type { Network } from "../../../../src/coordination/network.ts";
import { isError } from "../../../../src/core/errors.ts";
import { Elector } from "../../../../src/master/election/elector.ts";
import type { RoleNow } from "../../../../src/master/election/role.ts";
import { Mastership } from "../../../../src/master/mastership.ts";
import { settled } from "../../../../src/testing/settled.ts";
import { NOW, recordOf } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";
import { MemoryLock } from "../../../fixtures/memory-lock.ts";
import { recordingLogger } from "../../../fixtures/recording-logger.ts";
import { silentLogger } from "../../../fixtures/silent-logger.ts";
import { until } from "../../../fixtures/until.ts";

const LOCK_TTL_MS = 3_000;
/** Trust ends a margin before the lock does. */
const TRUST_MS = LOCK_TTL_MS - 200;
const OWN = "this process";
const ADDRESS = "127.0.0.1:1";
const OTHER: MasterAddress = {
  address: "127.0.0.1:2",
  nodeId: "b",
  incarnation: "another",
  epoch: 7,
  cluster: "c",
};

let opened: Awaited<ReturnType<typeof openTestStore>>;
let elector: Elector;
let clock: ManualClock;
let lock: MemoryLock;
let renewals: number;
let chance: number;
beforeEach(async () => {
  opened = await openTestStore();
  clock = new ManualClock();
  lock = new MemoryLock();
  const { renew } = lock;
  renewals = 0;
  lock.renew = (incarnation) => {
    renewals++;
    return renew(incarnation);
  };
  chance = 0.5;
  const network: Network = {
    openStream: () => ({ send: () => {}, close: () => {} }),
    identify: async () => "refused",
  };
  elector = new Elector({
    lock,
    store: opened.store,
    network,
    clock,
    random: { next: () => chance, id: () => "an id" },
    logger: silentLogger,
    settings: { ...masterContext().settings, lockTtlMs: LOCK_TTL_MS },
    incarnation: OWN,
    nodeId: "a",
    address: () => ADDRESS,
  });
});
afterEach(async () => {
  await elector.stop();
  await settled();
  await opened.close();
});

function masterOf(role: RoleNow): { readonly api: Mastership; readonly epoch: number } {
  if (role.kind !== "master" || !(role.api instanceof Mastership)) throw new Error(`it is ${role.kind}`);
  return { api: role.api, epoch: role.epoch };
}

async function elect() {
  await elector.tick();
  return masterOf(elector.now());
}

/** How a call on the mastership fails: with `not_found` it is served. */
async function isServed(api: Mastership): Promise<boolean> {
  const error: unknown = await api.readJob(999).then(
    () => new Error("there is such a job"),
    (thrown: unknown) => thrown,
  );
  if (isError(error, "not_found")) return true;
  if (isError(error, "unavailable")) return false;
  throw error;
}

/** As another process does that is elected. */
/** Another process is master: it has the lock, and the database names it. */
async function otherReigns(): Promise<MasterAddress> {
  const master = { ...OTHER, epoch: await beginEpoch() };
  [lock.held, lock.master] = [master.incarnation, master];
  return master;
}

async function beginEpoch(incarnation = OTHER.incarnation): Promise<number> {
  const { epoch } = await opened.store.readMastership();
  await opened.store.advanceEpoch(epoch, { epoch: epoch + 1, incarnation });
  await opened.store.announceReign(epoch + 1, { address: OTHER.address, lockKey: lock.ownName });
  return epoch + 1;
}

const storedEpoch = async () => (await opened.store.readMastership()).epoch;

test("with the lock free it is elected: the epoch is written, above the last one, and its address published", async () => {
  const { epoch } = await elect();
  expect(epoch).toBe(NOW);
  expect(await opened.store.readMastership()).toEqual({ epoch, incarnation: OWN });
  const { identity: cluster } = await opened.store.readCluster();
  expect(lock.held).toBe(OWN);
  expect(lock.master).toEqual({ address: ADDRESS, nodeId: "a", incarnation: OWN, epoch, cluster });
  expect(await opened.store.readCluster()).toMatchObject({ address: ADDRESS, lockKey: lock.ownName });
});

test("cluster time is the database's, taken in the middle of the round trip", async () => {
  const { readClock } = opened.store;
  opened.store.readClock = () => {
    clock.move(100);
    return readClock.call(opened.store);
  };
  const { api } = await elect();
  // Three readings of 100 ms: the first says NOW, and was right 50 ms after it was asked for.
  expect(api.clusterTime()).toBe(NOW + 250);
});

test("trust lasts for the TTL less a margin, from before the lock was asked for; a renewal extends it (G8)", async () => {
  const { acquire } = lock;
  lock.acquire = (incarnation) => {
    clock.move(300);
    return acquire(incarnation);
  };
  const { api } = await elect();
  clock.move(TRUST_MS - 300 - 1);
  expect(await isServed(api)).toBe(true);
  clock.move(1);
  expect(await isServed(api)).toBe(false);
  await elector.tick();
  clock.move(TRUST_MS - 1);
  expect(await isServed(api)).toBe(true);
  clock.move(1);
  expect(await isServed(api)).toBe(false);
});

test("a renewal whose answer is slow extends trust from when it was sent", async () => {
  const { api } = await elect();
  const { renew } = lock;
  lock.renew = (incarnation) => {
    clock.move(1_000);
    return renew(incarnation);
  };
  await elector.tick();
  clock.move(TRUST_MS - 1_000 - 1);
  expect(await isServed(api)).toBe(true);
  clock.move(1);
  expect(await isServed(api)).toBe(false);
});

test("without an answer from the lock it stays master, and is served as long as trust lasts", async () => {
  const { api } = await elect();
  lock.renew = () => Promise.reject(new Error("no answer"));
  clock.move(TRUST_MS - 1);
  await elector.tick();
  expect([elector.now().kind, await isServed(api)]).toEqual(["master", true]);
  clock.move(1);
  await elector.tick();
  expect([elector.now().kind, await isServed(api)]).toEqual(["master", false]);
});

test.each<[string, () => void]>([
  ["another holds the lock", () => void (lock.held = OTHER.incarnation)],
  [
    "another is quicker to get it",
    () => {
      lock.held = null;
      lock.acquire = async () => {
        lock.held = OTHER.incarnation;
        return false;
      };
    },
  ],
])("while %s, nobody is elected and no epoch is written", async (_, change) => {
  change();
  await elector.tick();
  expect([elector.now().kind, lock.held, await storedEpoch()]).toEqual(["none", OTHER.incarnation, 1]);
});

test("an own lock that no mastership goes with is given up, and taken anew", async () => {
  lock.held = OWN;
  const { epoch } = await elect();
  expect([lock.held, lock.master?.epoch]).toEqual([OWN, epoch]);
});

test("an election in which another has advanced the epoch fails, and the lock is given up", async () => {
  const { acquire } = lock;
  lock.acquire = async (incarnation) => {
    const isAcquired = await acquire(incarnation);
    await beginEpoch();
    return isAcquired;
  };
  const reigns = vi.spyOn(opened.store, "announceReign");
  await elector.tick();
  expect([elector.now().kind, lock.held, lock.master]).toEqual(["none", null, null]);
  expect(reigns).not.toHaveBeenCalledWith(2, expect.objectContaining({ address: ADDRESS }));
  expect(await opened.store.readMastership()).toEqual({ epoch: 2, incarnation: OTHER.incarnation });
});

test.each<[number, string]>([
  [TRUST_MS - 1, "master"],
  [TRUST_MS, "none"],
])("an election that took %i ms of its trust makes it: %s", async (ms, kind) => {
  const { advanceEpoch } = opened.store;
  opened.store.advanceEpoch = (from, to) => {
    clock.move(ms);
    return advanceEpoch.call(opened.store, from, to);
  };
  await elector.tick();
  expect([elector.now().kind, lock.held]).toEqual([kind, kind === "master" ? OWN : null]);
});

test("a master whose lock another holds steps down, and then follows it", async () => {
  const { api } = await elect();
  const master = await otherReigns();
  await elector.tick();
  expect([elector.now().kind, await isServed(api)]).toEqual(["none", false]);
  // Nothing of its mastership goes on.
  await settled();
  expect(clock.isAwaited).toBe(false);
  await elector.tick();
  expect(elector.now()).toEqual({ kind: "follower", master });
});

test("a lock that was lost is taken anew while the database has the same epoch: the mastership goes on", async () => {
  const { api, epoch } = await elect();
  lock.held = null;
  lock.master = null;
  await elector.tick();
  expect(masterOf(elector.now())).toEqual({ api, epoch });
  expect([lock.held, lock.master]).toMatchObject([OWN, { incarnation: OWN, epoch }]);
  expect(await storedEpoch()).toBe(epoch);
});

test.each<[string, () => Promise<unknown>]>([
  ["another epoch has begun", () => beginEpoch()],
  ["another epoch of its own has begun", () => beginEpoch(OWN)],
  [
    "the epoch is another process's",
    async () => {
      const epoch = await storedEpoch();
      opened.store.readMastership = async () => ({ epoch, incarnation: OTHER.incarnation });
    },
  ],
])("a lock that was lost and got again ends the mastership when %s", async (_, change) => {
  await elect();
  lock.held = null;
  await change();
  await elector.tick();
  expect(elector.now().kind).toBe("none");
});

test("the database has its address and its lock before it loads: who comes with another lock finds it by then", async () => {
  const { readClasses } = opened.store;
  let whileLoading: unknown;
  opened.store.readClasses = async () => {
    whileLoading = await opened.store.readCluster();
    return readClasses.call(opened.store);
  };
  await elect();
  expect(whileLoading).toMatchObject({ address: ADDRESS, lockKey: lock.ownName });
});

test("who is elected again after another was master is named by the database with its own address again", async () => {
  await elect();
  lock.held = null;
  await beginEpoch();
  await elector.tick();
  expect(elector.now().kind).toBe("none");
  const other = { address: OTHER.address, lockKey: lock.ownName };
  await opened.store.announceReign(await storedEpoch(), other);
  const { epoch } = await elect();
  expect(await opened.store.readMastership()).toEqual({ epoch, incarnation: OWN });
  expect(await opened.store.readCluster()).toMatchObject({ address: ADDRESS });
});

test("a lock whose server has lost what it knew has another name, by which the database knows the master then", async () => {
  const { epoch } = await elect();
  lock.ownName = "cluster@two";
  lock.master = null;
  await elector.tick();
  expect(elector.now()).toMatchObject({ kind: "master", epoch });
  expect(await opened.store.readCluster()).toMatchObject({ address: ADDRESS, lockKey: "cluster@two" });
});

test("a lock that is renewed after trust had ended goes on only in the same epoch; while it lasts, none is asked for", async () => {
  await elect();
  await beginEpoch();
  clock.move(TRUST_MS - 1);
  await elector.tick();
  expect(elector.now().kind).toBe("master");
  clock.move(TRUST_MS);
  await elector.tick();
  expect(elector.now().kind).toBe("none");
});

test("whether another was elected is asked after trust had ended, and not before", async () => {
  await elect();
  const reads = vi.spyOn(opened.store, "readMastership");
  clock.move(TRUST_MS - 1);
  await elector.tick();
  expect(reads).not.toHaveBeenCalled();
  clock.move(TRUST_MS);
  await elector.tick();
  expect(reads).toHaveBeenCalledOnce();
});

test("an epoch is above the last one also where the database's clock is behind that", async () => {
  const ahead = NOW + 60_000;
  await opened.store.advanceEpoch(await storedEpoch(), { epoch: ahead, incarnation: OTHER.incarnation });
  expect((await elect()).epoch).toBe(ahead + 1);
});

test("an address that is published already is not published again", async () => {
  await elect();
  lock.publishMaster = () => Promise.reject(new Error("published again"));
  const published = lock.master;
  await elector.tick();
  expect([elector.now().kind, lock.master]).toEqual(["master", published]);
  let tries = 0;
  lock.publishMaster = async () => ++tries > 0;
  await elector.tick();
  expect(tries).toBe(0);
});

test.each<[string, (epoch: number) => MasterAddress | null]>([
  ["is gone", () => null],
  ["is another's", (epoch) => ({ ...OTHER, epoch })],
  [
    "is of an earlier epoch",
    (epoch) => ({ address: ADDRESS, nodeId: "a", incarnation: OWN, epoch: epoch - 1, cluster: "c" }),
  ],
])("an address that %s is published again", async (_, published) => {
  const { epoch } = await elect();
  lock.master = published(epoch);
  await elector.tick();
  expect(lock.master).toMatchObject({ address: ADDRESS, nodeId: "a", incarnation: OWN, epoch });
});

test("a master that finds the lock lost as it publishes steps down", async () => {
  await elect();
  lock.master = null;
  lock.publishMaster = async () => false;
  await elector.tick();
  expect(elector.now().kind).toBe("none");
});

test("a mastership that could not load is over, and its lock given up", async () => {
  opened.store.readClasses = () => Promise.reject(new Error("no answer"));
  await elector.tick();
  expect([elector.now().kind, lock.held]).toEqual(["none", null]);
});

test.each<[string, MasterAddress | null]>([
  ["published nothing yet", null],
  ["not published what is there: that is an earlier one's", { ...OTHER, incarnation: "an earlier one" }],
])("a holder of the lock that has %s is not followed", async (_, published) => {
  lock.held = OTHER.incarnation;
  lock.master = published;
  const warned = vi.spyOn(silentLogger, "warn");
  onTestFinished(() => warned.mockRestore());
  await elector.tick();
  expect(elector.now().kind).toBe("none");
  // There is no fault in that.
  expect(warned).not.toHaveBeenCalled();
});

test("whom the database names is not followed while yet another holds the lock", async () => {
  await otherReigns();
  lock.held = "a third";
  await elector.tick();
  expect(elector.now().kind).toBe("none");
});

test("while another holds the lock, it tells the database which time zone data it has", async () => {
  const offers = vi.spyOn(opened.store, "offerZoneData");
  lock.held = OTHER.incarnation;
  await elector.tick();
  expect(offers).toHaveBeenCalledOnce();
});

test("a mastership that a write has ended is followed by another try at once", async () => {
  await opened.store.insertJobs(1, [recordOf({ id: 1 })], []);
  elector.start();
  await until("it is elected", () => elector.now().kind === "master");
  await settled();
  const { api } = masterOf(elector.now());
  const epoch = await beginEpoch();
  await expect(api.deleteJob(1)).rejects.toMatchObject({ code: "unavailable" });
  // No time passes.
  await until("it is elected anew", () => elector.now().kind === "master");
  expect(masterOf(elector.now()).epoch).toBeGreaterThan(epoch);
});

test("two writes that are refused at once end the mastership once, and both say that it is over", async () => {
  await opened.store.insertJobs(1, [recordOf({ id: 1 }), recordOf({ id: 2 })], []);
  const { api } = await elect();
  await beginEpoch();
  const calls = await Promise.allSettled([1, 2].map((id) => api.deleteJob(id)));
  expect(calls).toEqual([1, 2].map(() => ({ status: "rejected", reason: expect.anything() })));
  for (const call of calls) {
    expect(call.status === "rejected" && isError(call.reason, "unavailable")).toBe(true);
  }
  expect(elector.now().kind).toBe("none");
});

test("one that resigns lets its writes end for a moment, gives up the lock, and is elected no more", async () => {
  const { api, epoch } = await elect();
  const waited: number[] = [];
  api.quiesce = async (ms) => {
    waited.push(ms);
    // Until then it is master.
    expect([elector.now().kind, lock.held]).toEqual(["master", OWN]);
  };
  await elector.resign();
  expect([waited, elector.now().kind, lock.held]).toEqual([[250], "none", null]);
  await elector.tick();
  expect([elector.now().kind, lock.held]).toEqual(["none", null]);
  // Nor does it begin an epoch, which would end the mastership of whoever has taken over by then.
  expect(await storedEpoch()).toBe(epoch);
  // It goes on as a follower.
  const master = await otherReigns();
  await elector.tick();
  expect(elector.now()).toEqual({ kind: "follower", master });
});

test("one that resigns while it is being elected gives up the lock", async () => {
  const { acquire } = lock;
  lock.acquire = async (incarnation) => {
    const isAcquired = await acquire(incarnation);
    await elector.resign();
    return isAcquired;
  };
  await elector.tick();
  expect([elector.now().kind, lock.held]).toEqual(["none", null]);
});

test("one that is not master resigns without a wait, and leaves the lock alone", async () => {
  lock.held = OWN;
  await elector.resign();
  expect(lock.held).toBe(OWN);
});

test.each([
  [0, 375],
  [0.5, 500],
  [1, 625],
])(
  "the lock is renewed six times within its TTL, give or take a quarter: by chance %d, each %i ms",
  async (by, ms) => {
    chance = by;
    elector.start();
    await until("it is elected and rests", () => elector.now().kind === "master");
    await settled();
    for (let times = 1; times <= 2; times++) {
      clock.move(ms - 1);
      await settled();
      expect(renewals).toBe(times - 1);
      clock.move(1);
      await until("it renews", () => renewals === times);
      await settled();
    }
  },
);

test("it follows whoever is announced as the database has it, other than itself, and tries at once when the lock is released", async () => {
  const master = { ...OTHER, epoch: await beginEpoch() };
  lock.held = master.incarnation;
  elector.start();
  await settled();
  lock.announce({ ...master, incarnation: OWN });
  lock.announce({ ...master, incarnation: "of another database" });
  lock.announce({ ...master, epoch: master.epoch + 1 });
  lock.announce({ ...master, address: "10.6.6.6:7070" });
  await settled();
  expect(elector.now().kind).toBe("none");
  lock.announce(master);
  await until("it follows", () => elector.now().kind === "follower");
  expect(elector.now()).toEqual({ kind: "follower", master });
  lock.held = null;
  lock.announce(null);
  // No time passes.
  await until("it is elected", () => elector.now().kind === "master");
  // A master takes no announcement for its successor, and asks nobody about it.
  const reads = vi.spyOn(opened.store, "readMastership");
  lock.announce(OTHER);
  expect(reads).not.toHaveBeenCalled();
  expect(elector.now().kind).toBe("master");
});

test("what it hears of itself it does not follow, though the database names it", async () => {
  const epoch = await beginEpoch(OWN);
  lock.held = OTHER.incarnation;
  const reads = vi.spyOn(opened.store, "readMastership");
  elector.start();
  await settled();
  lock.announce({ ...OTHER, incarnation: OWN, epoch });
  // It does not even ask.
  expect(reads).not.toHaveBeenCalled();
  lock.announce(OTHER);
  expect(reads).toHaveBeenCalledOnce();
});

test("one that is elected while it asks who is master does not follow whom it has asked about", async () => {
  lock.held = OTHER.incarnation;
  elector.start();
  await settled();
  const master = { ...OTHER, epoch: await beginEpoch() };
  const answer = Promise.withResolvers<void>();
  const named = await opened.store.readMastership();
  vi.spyOn(opened.store, "readMastership").mockImplementationOnce(async () => {
    await answer.promise;
    return named;
  });
  lock.announce(master);
  lock.held = null;
  lock.announce(null);
  await until("it is elected", () => elector.now().kind === "master");
  answer.resolve();
  await settled();
  expect(elector.now().kind).toBe("master");
});

test("when the master's process has ended, it breaks that one's lock and tries at once", async () => {
  const master = await otherReigns();
  elector.start();
  await until("it follows", () => elector.now().kind === "follower");
  const gone = elector.masterIsGone(master);
  await settled();
  clock.move(20);
  await gone;
  await until("it is elected", () => elector.now().kind === "master");
});

test("one that stops hears of no more announcements", async () => {
  elector.start();
  await elector.stop();
  expect([lock.listenerCount, elector.now().kind, lock.held]).toEqual([0, "none", null]);
});

test.each([true, false])(
  "while a master of another lock reigns in this database, nobody is elected: %s",
  async (isUsed) => {
    elector["otherLock"].isUsed = async () => isUsed;
    await elector.tick();
    expect([elector.now().kind, lock.held]).toEqual(isUsed ? ["none", null] : ["master", OWN]);
  },
);

test("one that others go before leaves a free lock alone, and not one that is its own", async () => {
  elector["zones"].mayTry = async () => false;
  await elector.tick();
  expect([elector.now().kind, lock.held]).toEqual(["none", null]);
  lock.held = OWN;
  await elector.tick();
  expect(elector.now().kind).toBe("master");
});

test("a master that refuses this node is followed no more; what another says changes nothing", async () => {
  const master = await otherReigns();
  await elector.tick();
  elector.refused({ ...master, incarnation: "a third" }, "not ours");
  expect(elector.now()).toEqual({ kind: "follower", master });
  elector.refused(master, "not ours");
  await elector.tick();
  expect(elector.now().kind).toBe("none");
  // Of a stream that was opened before.
  elector.refused(master, "not ours");
  expect(elector.now().kind).toBe("none");
});

test("says why nobody is master, as far as it was seen", async () => {
  const why = () => elector.whyNobodyIsMaster();
  expect(why()).toBe("no master: this node has only just started");
  elector["zones"].mayTry = async () => false;
  await elector.tick();
  expect(why()).toBe("no master: no node holds the lock");
  lock.held = OTHER.incarnation;
  await elector.tick();
  expect(why()).toBe("no master: the node that holds the lock has not announced itself");
  lock.master = OTHER;
  await elector.tick();
  expect(why()).toBe("no master: the database does not name the master at 127.0.0.1:2, which Redis names");
  lock.held = null;
  elector["zones"].mayTry = async () => true;
  elector["otherLock"].isUsed = async () => true;
  await elector.tick();
  expect(why()).toBe("no master: the database has a master that was elected by another lock");
  lock.silence = () => ({ who: "Redis", how: "silent", ms: 4_100 });
  // Until it has started, it asks nothing of the lock.
  expect(why()).toMatch(/another lock$/);
  elector.start();
  expect(why()).toBe("no master: Redis has not answered for 4.1 s");
});

test("what is known against a master stays its reason, whatever Redis and the database say of it", async () => {
  const master = await otherReigns();
  await elector.tick();
  const why = "no connection to 127.0.0.1:2: its certificate is out of date";
  elector.refused(master, why);
  expect(elector.whyNobodyIsMaster()).toBe(`no master: ${why}`);
  await elector.tick();
  expect([elector.now().kind, elector.whyNobodyIsMaster()]).toEqual(["none", `no master: ${why}`]);
  clock.move(5_000);
  await elector.tick();
  expect(elector.now()).toEqual({ kind: "follower", master });
});

test("a lock that is held by nobody of the database is a stranger's, announced or not; one of ours is not", async () => {
  await opened.store.registerNode("slow to load", "c");
  for (const [holder, master, isStrange] of [
    ["somebody", null, true],
    ["somebody else", { ...OTHER, incarnation: "somebody else" }, true],
    ["slow to load", null, false],
  ] as const) {
    [lock.held, lock.master] = [holder, master];
    await elector.tick();
    expect(elector.strangeHolder).toBeNull();
    clock.move(3_000);
    await elector.tick();
    if (!isStrange) expect(elector.strangeHolder).toBeNull();
    else {
      expect(elector.strangeHolder).toContain(`the key cluster) is held by "${holder}"`);
      expect(elector.whyNobodyIsMaster()).toBe(`no master: ${elector.strangeHolder}`);
    }
  }
  lock.held = null;
  await elector.tick();
  expect([elector.now().kind, elector.strangeHolder]).toEqual(["master", null]);
});

test("a lock that refuses is told as that, and does not answer again as long as it refuses anything", async () => {
  const logger = recordingLogger();
  const told = () => logger.lines.map(({ message }) => message.split(";")[0]);
  Object.assign(elector["parts"], { logger });
  const { holder } = lock;
  lock.silence = () => ({ who: "Redis", how: "refused", ms: 0, why: "NOPERM" });
  lock.holder = async () => Promise.reject(new Error("NOPERM"));
  await elector.tick();
  await elector.tick();
  lock.holder = holder;
  elector["zones"].mayTry = async () => false;
  await elector.tick();
  expect(told()).toEqual(["the lock (REDIS_URL) refuses this node"]);
  lock.silence = () => ({ who: "Redis", how: "silent", ms: 0 });
  await elector.tick();
  expect(told().slice(1)).toEqual(["the lock and the database answer again"]);
});

test("as master it says who keeps it from answering adds, and asks the database while it is no follower", async () => {
  const probes: string[] = [];
  opened.store.silence = () => ({ who: "MySQL", how: "silent", ms: 2_000 });
  opened.store.probe = async () => void probes.push(elector.now().kind);
  await elect();
  expect(elector.silence()).toEqual({ who: "MySQL", how: "silent", ms: 2_000 });
  elector.start();
  await settled();
  expect(probes).toEqual(["master"]);
});
