/** Jobs that do nothing, run and recorded; every run is verified in the store. */
import type { Arena } from "../arena.ts";
import { preciseNow } from "../contender.ts";
import { cpuPerJob, readCpu } from "../measure.ts";
import { type Figures, pick, type Workload } from "../workload.ts";
import { IN_FLIGHT, PER_CALL, WARM_UP_JOBS } from "./adds.ts";

/** Queued jobs, worked off by `nodes` processes. Their start-up is in the CPU time, not in the rate. */
async function processQueued(arena: Arena, jobs: number, nodes: number): Promise<Figures> {
  await arena.adder.call("addInBulk", jobs, PER_CALL, IN_FLIGHT, null);
  const before = readCpu(arena);
  await arena.startWorkers(nodes);
  const endedAt = await arena.untilDone();
  const cpu = cpuPerJob(before, readCpu(arena), jobs);
  await arena.verify(jobs);
  return { "jobs/s": (jobs / (endedAt - (await arena.beganAt()))) * 1000, ...cpu };
}

export const processing: Workload = {
  name: "processing",
  meaning: "queued jobs, one worker process",
  largerIsBetter: true,
  contenders: "all",
  run: (arena, size) => processQueued(arena, pick(size, 40_000, 200_000), 1),
};

export const processingWithTwo: Workload = {
  name: "processing-2",
  meaning: "queued jobs, two worker processes",
  largerIsBetter: true,
  contenders: "all",
  run: (arena, size) => processQueued(arena, pick(size, 40_000, 200_000), 2),
};

async function addAndProcess(arena: Arena, jobs: number, nodes: number): Promise<Figures> {
  await arena.startWorkers(nodes);
  await arena.adder.call("addInBulk", WARM_UP_JOBS, PER_CALL, IN_FLIGHT, null);
  await arena.untilDone();
  const before = readCpu(arena);
  const startedAt = preciseNow();
  const addMs = await arena.adder.call("addInBulk", jobs, PER_CALL, IN_FLIGHT, null);
  const endedAt = await arena.untilDone();
  const cpu = cpuPerJob(before, readCpu(arena), jobs);
  await arena.verify(jobs + WARM_UP_JOBS);
  return {
    "jobs/s": (jobs / (endedAt - startedAt)) * 1000,
    "adds/s": (jobs / addMs) * 1000,
    ...cpu,
  };
}

export const endToEnd: Workload = {
  name: "end-to-end",
  meaning: `adds (${PER_CALL} a call, ${IN_FLIGHT} calls at a time) and one worker process at once`,
  largerIsBetter: true,
  contenders: "all",
  run: (arena, size) => addAndProcess(arena, pick(size, 40_000, 200_000), 1),
};

export const endToEndWithTwo: Workload = {
  name: "end-to-end-2",
  meaning: "the same with two worker processes",
  largerIsBetter: true,
  contenders: "all",
  run: (arena, size) => addAndProcess(arena, pick(size, 40_000, 200_000), 2),
};
