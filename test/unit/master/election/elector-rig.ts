/** One process that stands for election, on virtual time: its lock, its database and its network do as a test says. */
import type { ClusterLock, MasterAddress } from "../../../../src/coordination/cluster-lock.ts";
import type { Identity, Network } from "../../../../src/coordination/network.ts";
import { KEEP_ALL } from "../../../../src/core/state/retention.ts";
import { Elector } from "../../../../src/master/election/elector.ts";
import type { JobStore } from "../../../../src/store/job-store.ts";
import { openSqliteStore } from "../../../../src/store/open.ts";
import { Gate, ProcessClock, VirtualTime } from "../../../simulation/virtual-clock.ts";

export const ME = "me";
export const TTL_MS = 3000;

export function addressOf(incarnation: string, epoch = 1): MasterAddress {
  return { address: `${incarnation}:7070`, nodeId: incarnation, incarnation, epoch };
}

export async function electorRig() {
  const time = new VirtualTime();
  const clock = new ProcessClock({ time, gate: new Gate(), skewMs: 0, uptimeMs: 1000 });
  const raw = openSqliteStore({ path: ":memory:", clock });
  await raw.migrate();
  const calls: string[] = [];
  /** What is done in place of the database's own answer. */
  const instead: Partial<JobStore> = {};
  const store = new Proxy(raw, {
    get(target, name) {
      if (name === "readMastership" || name === "advanceEpoch") calls.push(name);
      const own = Reflect.get(instead, name) ?? Reflect.get(target, name);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
  const held = {
    by: null as string | null,
    master: null as MasterAddress | null,
    /** Called with the name of each call of the lock, which then fails if it throws. */
    before: (_call: string): void => {},
  };
  let listener: (master: MasterAddress | null) => void = () => {};
  const call = async <T>(name: string, work: () => T): Promise<T> => {
    calls.push(name);
    held.before(name);
    return work();
  };
  const lock: Partial<ClusterLock> = {
    ttlMs: TTL_MS,
    holder: () => call("holder", () => held.by),
    acquire: (incarnation) =>
      call("acquire", () => {
        if (held.by !== null) return false;
        held.by = incarnation;
        return true;
      }),
    renew: (incarnation) => call("renew", () => held.by === incarnation),
    release: (incarnation) =>
      call("release", () => {
        if (held.by !== incarnation) return false;
        held.by = null;
        held.master = null;
        return true;
      }),
    publishMaster: (master) =>
      call("publish", () => {
        if (held.by !== master.incarnation) return false;
        held.master = master;
        return true;
      }),
    readMaster: () => call("readMaster", () => held.master),
    onMaster: (heard) => {
      listener = heard;
      return () => {
        listener = () => {};
      };
    },
  };
  const answers: (Identity | "refused" | "silent")[] = [];
  const asked: { readonly at: number; readonly timeoutMs: number }[] = [];
  const network: Partial<Network> = {
    identify: async (_, timeoutMs) => {
      asked.push({ at: time.now, timeoutMs });
      return answers.shift() ?? "silent";
    },
  };
  const logged: string[] = [];
  const log = (level: string) => (fields: { readonly reason?: string }, message: string) =>
    logged.push([level, message, fields.reason].filter((part) => part !== undefined).join(": "));
  const elector = new Elector({
    lock: lock as ClusterLock,
    store,
    network: network as Network,
    clock,
    random: { next: () => 0.5, id: () => "id" },
    logger: { debug: () => {}, info: log("info"), warn: log("warn"), error: log("error") },
    settings: {
      lockTtlMs: TTL_MS,
      leaseMs: 6000,
      horizonMs: 300_000,
      maxJobsInMemory: 1000,
      maxLost: 10,
      retention: KEEP_ALL,
      embedded: false,
    },
    incarnation: ME,
    nodeId: ME,
    address: () => `${ME}:7070`,
  });
  return {
    time,
    clock,
    raw,
    instead,
    held,
    answers,
    asked,
    logged,
    elector,
    /** The calls since it was last asked. */
    calls: () => calls.splice(0),
    heard: (master: MasterAddress | null) => listener(master),
    role: () => {
      const now = elector.now();
      return now.kind === "follower" ? `follows ${now.master.incarnation}` : now.kind;
    },
    /** Whether what it would do as a master is done at the moment. */
    async isTrusted(): Promise<boolean> {
      const now = elector.now();
      if (now.kind !== "master") return false;
      const error = await now.api.deleteJob(1).then(
        () => null,
        (thrown: Error) => thrown,
      );
      return !(error?.message ?? "").includes("not master");
    },
    /** Another process becomes master, as the database has it. */
    async electAnother(): Promise<void> {
      const { epoch } = await raw.readMastership();
      await raw.advanceEpoch(epoch, { epoch: epoch + 1, incarnation: "another" });
    },
  };
}
