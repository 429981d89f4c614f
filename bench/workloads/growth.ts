/** What growth costs: more nodes, more rows, more hours. Our own figures only. */
import { preciseNow } from "../contender.ts";
import { cpuMs, residentMb } from "../cpu.ts";
import { copyRows } from "../fill.ts";
import type { OurArena } from "../our-arena.ts";
import { type Figures, pick, type Workload } from "../workload.ts";
import { IN_FLIGHT, PER_CALL, WARM_UP_JOBS } from "./adds.ts";

/** Jobs that were added before are due all at once, at nodes that have run some already. */
async function rateOfDue(ours: OurArena, jobs: number): Promise<{ rate: number; masterCores: number }> {
  const firstAt = preciseNow() + (jobs / SLOW_ADDS_PER_SECOND) * 1000;
  await ours.adder.call("addInBulk", jobs, PER_CALL, IN_FLIGHT, { firstAt, spreadMs: 0 });
  const spareMs = firstAt - preciseNow();
  if (spareMs < 0) throw new Error("it was still adding when the jobs were due");
  await new Promise((resolve) => setTimeout(resolve, spareMs));
  const before = cpuMs(ours.master.pid);
  const ms = (await ours.untilDone()) - firstAt;
  return { rate: (jobs / ms) * 1000, masterCores: (cpuMs(ours.master.pid) - before) / ms };
}

/** At least so many can be added. */
const SLOW_ADDS_PER_SECOND = 15_000;

export const moreNodes: Workload = {
  name: "more-nodes",
  meaning: "jobs that are due all at once, with one, two and five nodes",
  largerIsBetter: true,
  contenders: "ours",
  once: true,
  async run(arena, size, ours) {
    if (ours === null) throw new Error("this is about our nodes");
    const jobs = pick(size, 40_000, 200_000);
    const figures: Record<string, number> = {};
    let started = 0;
    let added = 0;
    for (const nodes of [1, 2, 5]) {
      await arena.startWorkers(nodes - started);
      started = nodes;
      // What is compiled in the first seconds of a process is not what it is about.
      const warmUp = nodes * 10 * WARM_UP_JOBS;
      await rate(ours, warmUp);
      const due = await rateOfDue(ours, jobs);
      added += warmUp + jobs;
      figures[`jobs/s, ${nodes} nodes`] = due.rate;
      figures[`master cores, ${nodes} nodes`] = due.masterCores;
    }
    await arena.verify(added);
    return { "jobs/s": figures["jobs/s, 5 nodes"] ?? Number.NaN, ...figures };
  },
};

async function rate(ours: OurArena, jobs: number): Promise<number> {
  const startedAt = preciseNow();
  await ours.adder.call("addInBulk", jobs, PER_CALL, IN_FLIGHT, null);
  return (jobs / ((await ours.untilDone()) - startedAt)) * 1000;
}

export const finishedRows: Workload = {
  name: "finished-rows",
  meaning: "end to end with as many finished rows there (quick: 1,000,000; full: 10,000,000), against none",
  largerIsBetter: true,
  contenders: "ours",
  once: true,
  async run(arena, size, ours) {
    if (ours === null) throw new Error("this is about our tables");
    const jobs = 20_000;
    const base = pick(size, 100_000, 500_000);
    const copies = pick(size, 9, 19);
    await arena.startWorkers(1);
    await rate(ours, WARM_UP_JOBS);
    const empty = [await rate(ours, jobs), await rate(ours, jobs), await rate(ours, jobs)];
    await rate(ours, base - WARM_UP_JOBS - 3 * jobs);
    const copied = await copyRows(ours.database, copies);
    await rate(ours, WARM_UP_JOBS);
    const full = [await rate(ours, jobs), await rate(ours, jobs), await rate(ours, jobs)];
    await ours.verify(base + copied + WARM_UP_JOBS + 3 * jobs);
    const middle = (three: number[]) => three.sort((a, b) => a - b)[1] ?? Number.NaN;
    return {
      "jobs/s": middle(full),
      "jobs/s empty": middle(empty),
      ratio: middle(full) / middle(empty),
      "finished rows": base + copied,
    };
  },
};

export const steadyDay: Workload = {
  name: "steady",
  meaning:
    "single adds at an even rate for long (full: as many jobs as a day at 100 a second); memory must not grow",
  largerIsBetter: true,
  contenders: "ours",
  once: true,
  async run(arena, size, ours) {
    if (ours === null) throw new Error("this is about our processes");
    const perSecond = pick(size, 2_000, 8_000);
    const steps = pick(size, 12, 216);
    const stepSeconds = 5;
    await arena.startWorkers(1);
    const node = arena.pids()["nodes"]?.[0] ?? 0;
    const memory: { master: number; node: number; p99: number }[] = [];
    const startedAt = performance.now();
    for (let step = 0; step < steps; step++) {
      const adds = await arena.adder.call("addPaced", perSecond, perSecond * stepSeconds);
      adds.sort((a, b) => a - b);
      memory.push({
        master: residentMb(ours.master.pid),
        node: residentMb(node),
        p99: adds[Math.floor(adds.length * 0.99)] ?? Number.NaN,
      });
    }
    const seconds = (performance.now() - startedAt) / 1000;
    await arena.untilDone();
    const jobs = perSecond * stepSeconds * steps;
    await arena.verify(jobs);
    return { "jobs/s": jobs / seconds, jobs, ...thirds(memory) };
  },
};

/** The second third against the last one: the first is warming up. */
function thirds(
  samples: readonly { readonly master: number; readonly node: number; readonly p99: number }[],
): Figures {
  const third = Math.floor(samples.length / 3);
  const mean = (from: number, name: "master" | "node" | "p99") => {
    const part = samples.slice(from, from + third);
    return part.reduce((sum, sample) => sum + sample[name], 0) / part.length;
  };
  return {
    "master MB, 2nd third": mean(third, "master"),
    "master MB, last third": mean(2 * third, "master"),
    "node MB, 2nd third": mean(third, "node"),
    "node MB, last third": mean(2 * third, "node"),
    "add p99 ms, 2nd third": mean(third, "p99"),
    "add p99 ms, last third": mean(2 * third, "p99"),
  };
}
