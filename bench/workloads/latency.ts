/** How soon a job starts: after its add was called, or after it was due. */
import type { Arena } from "../arena.ts";
import { preciseNow } from "../contender.ts";
import { figuresOf, percentile } from "../figures.ts";
import { type Figures, pick, type Workload } from "../workload.ts";
import { IN_FLIGHT, PER_CALL, WARM_UP_JOBS } from "./adds.ts";

async function addToStart(arena: Arena, perSecond: number, count: number): Promise<Figures> {
  await arena.startWorkers(1);
  // Not stamped: compiles and connects what the first jobs would have to wait for.
  await arena.adder.call("addSingly", WARM_UP_JOBS, 100);
  await arena.untilDone();
  const adds = await arena.adder.call("addPaced", perSecond, count);
  await arena.untilDone();
  await arena.verify(count + WARM_UP_JOBS);
  const stamps = await arena.takeStamps();
  return { ...figuresOf(stamps), "add p50 ms": percentile(adds, 0.5), "add p99 ms": percentile(adds, 0.99) };
}

export const lightLatency: Workload = {
  name: "latency-light",
  meaning: "add to start of the handler at 50 jobs/s, single adds",
  largerIsBetter: false,
  contenders: "all",
  run: (arena, size) => addToStart(arena, 50, pick(size, 500, 3_000)),
};

export function loadedLatency(perSecond: number): Workload {
  return {
    name: "latency-loaded",
    meaning: `add to start of the handler at ${perSecond} jobs/s, single adds`,
    largerIsBetter: false,
    contenders: "ours",
    run: (arena, size) => addToStart(arena, perSecond, perSecond * pick(size, 5, 30)),
  };
}

/** `count` jobs, due evenly over 10 s, which begin when all of them have been added. */
async function lateness(arena: Arena, count: number, addsPerSecond: number): Promise<Figures> {
  await arena.startWorkers(1);
  await arena.adder.call("addInBulk", WARM_UP_JOBS, PER_CALL, IN_FLIGHT, null);
  await arena.untilDone();
  const firstAt = preciseNow() + 2_000 + (count / addsPerSecond) * 1000;
  await arena.adder.call("addInBulk", count, PER_CALL, IN_FLIGHT, { firstAt, spreadMs: 10_000 });
  const spareMs = firstAt - preciseNow();
  if (spareMs < 0) throw new Error(`${arena.name} was still adding when the first of the jobs was due`);
  await arena.untilDone();
  await arena.verify(count + WARM_UP_JOBS);
  return figuresOf(await arena.takeStamps());
}

export const fewDelayed: Workload = {
  name: "delayed-1000",
  meaning: "lateness of 1,000 delayed jobs, due over 10 s",
  largerIsBetter: false,
  contenders: "all",
  run: (arena) => lateness(arena, 1_000, 5_000),
};

export const manyDelayed: Workload = {
  name: "delayed-50000",
  meaning: "lateness of 50,000 delayed jobs, due over 10 s",
  largerIsBetter: false,
  contenders: "all",
  run: (arena) => lateness(arena, 50_000, 4_000),
};
