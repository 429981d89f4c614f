/** A great many jobs that are due in a month: what they cost the master, its successor, and an add. */
import { createClient } from "../../src/client/client.ts";
import { createHttp2Transport } from "../../src/client/http2.ts";
import type { Arena } from "../arena.ts";
import { preciseNow } from "../contender.ts";
import { residentMb } from "../cpu.ts";
import { copyRows } from "../fill.ts";
import type { OurArena } from "../our-arena.ts";
import { type Figures, pick, type Workload } from "../workload.ts";
import { IN_FLIGHT, PER_CALL } from "./adds.ts";

const MONTH_MS = 30 * 24 * 3_600_000;
const PROBE_JOBS = 50_000;
const ANSWER_LIMIT_MS = 30_000;
/** V8 gives back what it needed for a burst of adds when it has nothing to do. */
const REST_MS = 15_000;

async function addFar(arena: Arena, jobs: number): Promise<number> {
  const due = { firstAt: preciseNow() + MONTH_MS, spreadMs: MONTH_MS };
  return (jobs / (await arena.adder.call("addInBulk", jobs, PER_CALL, IN_FLIGHT, due))) * 1000;
}

export const farFuture: Workload = {
  name: "far-future",
  meaning: "jobs due in a month (quick: 100,000; full: 1,000,000), then an add, the memory, a takeover",
  largerIsBetter: true,
  contenders: "all",
  once: true,
  async run(arena, size, ours) {
    const jobs = pick(size, 100_000, 1_000_000);
    await addFar(arena, 2_000);
    const before = memoryOf(ours);
    const empty = await addFar(arena, PROBE_JOBS);
    await addFar(arena, jobs - PROBE_JOBS);
    const figures = { "adds/s": await addFar(arena, PROBE_JOBS), "adds/s at 0": empty };
    if (ours === null) return { ...figures, "store MB": residentMb(arena.pids()["store"]?.[0] ?? 0) };
    return { ...figures, "master MB at 0": before, ...(await memoryAndTakeover(ours)) };
  },
};

export const farFutureMillions: Workload = {
  name: "far-future-10m",
  meaning: "the same with rows copied in the database (quick: 1,000,000; full: 10,000,000)",
  largerIsBetter: true,
  contenders: "ours",
  once: true,
  async run(arena, size, ours) {
    if (ours === null) throw new Error("this is about our tables");
    const base = pick(size, 100_000, 1_000_000);
    await addFar(arena, 2_000);
    const before = memoryOf(ours);
    const empty = await addFar(arena, PROBE_JOBS);
    await addFar(arena, base - PROBE_JOBS - 2_000);
    await copyRows(ours.database, 9);
    const figures = { "adds/s": await addFar(arena, PROBE_JOBS), "adds/s at 0": empty };
    return { ...figures, "master MB at 0": before, ...(await memoryAndTakeover(ours)) };
  },
};

function memoryOf(ours: OurArena | null): number {
  return ours === null ? 0 : residentMb(ours.master.pid);
}

/** Takeover: from the master's end until the next one has committed an add. */
async function memoryAndTakeover(ours: OurArena): Promise<Figures> {
  const memory = residentMb(ours.master.pid);
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  const rested = residentMb(ours.master.pid);
  const second = await ours.startStandby();
  const third = await ours.startStandby();
  await knowsAll(second.url, 3);
  const stopped = performance.now();
  const end = ours.master.stop();
  await addThrough(third.url);
  const afterStop = performance.now() - stopped;
  await end;
  const isSecond = (await clientOf(third.url).getCluster()).masterAddress === second.address;
  const [master, heir] = isSecond ? [second, third] : [third, second];
  await knowsAll(heir.url, 2);
  const killed = performance.now();
  await master.kill();
  await addThrough(heir.url);
  return {
    "master MB": memory,
    "master MB after a rest": rested,
    "takeover after stop ms": afterStop,
    "takeover after kill ms": performance.now() - killed,
    "new master MB": residentMb(heir.pid),
  };
}

const clientOf = (url: string) =>
  createClient({ transport: createHttp2Transport(url), timeoutMs: ANSWER_LIMIT_MS });

async function addThrough(url: string): Promise<void> {
  const runAt = new Date(Date.now() + MONTH_MS).toISOString();
  await clientOf(url).addJob({ handler: "noop", timed: { runAt } });
}

async function knowsAll(url: string, nodes: number): Promise<void> {
  const client = clientOf(url);
  const limit = performance.now() + ANSWER_LIMIT_MS;
  for (;;) {
    const { nodes: present } = await client.getCluster();
    if (present.length === nodes) return;
    if (performance.now() > limit) throw new Error(`${present.length} nodes of ${nodes} are connected`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
