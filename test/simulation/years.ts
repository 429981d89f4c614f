/**
 * Jobs in many time zones over years of simulated time, on whole clusters whose nodes and masters die
 * at random. Quiet hours take hardly any time (`years-pace.ts`).
 */

import type { Problem } from "../../src/core/errors.ts";
import { type Bounds, type JobSpec, NO_BOUNDS, type Schedule } from "../../src/core/job.ts";
import { checkBounds } from "../../src/core/spec/check-bounds.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";
import type { Span } from "../guarantees/facts.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import type { Behaviour } from "./simulated-executors.ts";
import { YEARS_PACE } from "./years-pace.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** With gaps of an hour, of half an hour, of two; at night, at midnight, in the other half of the year; and without. */
export const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "America/Santiago",
  "Antarctica/Troll",
  "Asia/Beirut",
  "America/Havana",
  "Africa/Casablanca",
  "Pacific/Chatham",
  "Asia/Gaza",
  "UTC",
  "Europe/London",
  "America/St_Johns",
  "Asia/Kathmandu",
  "Africa/Cairo",
  "America/Nuuk",
  "Pacific/Norfolk",
  "Asia/Kolkata",
  "Atlantic/Azores",
  "Australia/Sydney",
] as const;

const EXPRESSIONS = [
  "30 2 * * *",
  "0 0 * * *",
  "15 1 * * 1-5",
  "*/30 2 * * 0",
  "45 1,2 * * *",
  "0 */8 * * *",
  "30 2 29 2 *",
  "0 3 31 * *",
  "0 12 13 * 5",
  "30 0 2 30 * *",
  "15,45 0-3 * * 6",
  "0 6 1 */3 *",
  "59 23 * * *",
  "10 */12 * * *",
];

export interface YearsOptions {
  readonly seed: number;
  readonly start: number;
  readonly days: number;
  readonly jobs: number;
  readonly zones: number;
  /** Hours between two faults or acts of a caller, on average. */
  readonly hoursBetweenFaults: number;
}

export interface YearsCounts {
  deaths: number;
  deathsOfMasters: number;
  stops: number;
  outages: number;
  acts: number;
}

export interface YearsRun {
  readonly cluster: SimulatedCluster;
  readonly counts: YearsCounts;
}

/** Ends when all jobs have ended. */
export async function runYears(options: YearsOptions): Promise<YearsRun> {
  const { seed, start, days, jobs } = options;
  const cluster = await SimulatedCluster.start({ seed, start, nodes: 3, slots: 1000, pace: YEARS_PACE });
  const random = cluster.random.fork();
  const { time } = cluster;
  const outages: Span[] = [];
  cluster.outages = outages;
  const counts: YearsCounts = { deaths: 0, deathsOfMasters: 0, stops: 0, outages: 0, acts: 0 };
  const end = start + days * DAY_MS;
  let downSince: number | null = start;
  /** Takes note of when jobs can't be given out, until `until`. */
  const pass = async (ms: number) => {
    const until = time.now + ms;
    while (time.now < until) {
      const works = canGiveOut(cluster);
      if (!works) downSince ??= cluster.now;
      else if (downSince !== null) {
        outages.push({ from: downSince, to: cluster.now });
        downSince = null;
      }
      await time.runUntil(() => canGiveOut(cluster) !== works, until - time.now);
    }
  };
  await pass(MINUTE_MS);
  for (let index = 0; index < jobs; index++) {
    const zone = ZONES[index % Math.min(options.zones, ZONES.length)] ?? "UTC";
    const { schedule, behaviour, more } = randomJob(random, zone, cluster.now, end);
    cluster.add(schedule, behaviour, more);
  }
  while (cluster.now < end) {
    await pass(random.next() * 2 * options.hoursBetweenFaults * HOUR_MS);
    disturb(cluster, random, counts);
  }
  for (const { gate, nodeId } of cluster.nodes) if (gate.isDead) cluster.startNode(nodeId);
  await pass(5 * DAY_MS);
  if (downSince !== null) outages.push({ from: downSince, to: cluster.now });
  counts.outages = outages.length;
  return { cluster, counts };
}

function canGiveOut({ master }: SimulatedCluster): boolean {
  const now = master?.elector.now();
  return now?.kind === "master" && now.api.readCluster().nodes.length > 0;
}

function disturb(cluster: SimulatedCluster, random: SeededRandom, counts: YearsCounts): void {
  const { alive } = cluster;
  const comesBack = (nodeId: string, withinMs: number) => {
    cluster.time.after(random.between(1000, withinMs), () => {
      if (cluster.nodes.find((node) => node.nodeId === nodeId)?.gate.isDead) cluster.startNode(nodeId);
    });
  };
  const kill = (node: (typeof alive)[number], silently: boolean, withinMs: number) => {
    counts.deaths++;
    if (node.isMaster) counts.deathsOfMasters++;
    cluster.crash(node, silently);
    comesBack(node.nodeId, withinMs);
  };
  const node = alive.length > 0 ? random.pick(alive) : undefined;
  const roll = random.next();
  if (roll < 0.5) {
    counts.acts++;
    act(cluster, random);
  } else if (node === undefined) {
    return;
  } else if (roll < 0.68) kill(cluster.master ?? node, false, random.pick([MINUTE_MS, 12 * HOUR_MS]));
  else if (roll < 0.86) kill(node, false, random.pick([MINUTE_MS, 12 * HOUR_MS]));
  else if (roll < 0.89) kill(node, true, HOUR_MS);
  else if (roll < 0.92) {
    // All at once: what falls due meanwhile is missed.
    for (const each of alive) kill(each, false, random.pick([MINUTE_MS, 3 * DAY_MS]));
  } else {
    counts.stops++;
    void node.stop().then(() => comesBack(node.nodeId, HOUR_MS));
  }
}

/** As callers do. What is paused is resumed. */
function act(cluster: SimulatedCluster, random: SeededRandom): void {
  const action = random.pick(["cancel", "trigger", "pause", "pause", "update"] as const);
  const jobId = cluster.control(action);
  if (action !== "pause" || jobId === null) return;
  cluster.time.after(random.between(MINUTE_MS, 4 * DAY_MS), () => cluster.control("resume", jobId));
}

interface RandomJob {
  readonly schedule: Schedule;
  readonly behaviour: Behaviour;
  readonly more: Partial<JobSpec>;
}

function randomJob(random: SeededRandom, timeZone: string, now: number, end: number): RandomJob {
  // Where the clocks change, as a rule.
  const minuteOfDay = random.chance(0.6) ? random.between(0, 14) * 15 : random.between(0, 1439);
  const schedule = randomSchedule(random, timeZone, minuteOfDay, now);
  const behaviour: Behaviour = {
    ms: random.between(100, 90_000),
    chances: {
      failure: random.pick([0, 0, 0.1, 0.5]),
      loss: random.pick([0, 0, 0.02]),
      slow: random.pick([0, 0.01, 0.3]),
      slowMs: random.pick([HOUR_MS, 40 * HOUR_MS]),
    },
    ignoresAbort: random.chance(0.1),
  };
  const more: Partial<JobSpec> = {
    bounds: randomBounds(random, schedule, now, end),
    jitterMs: random.pick([0, 0, 60_000, HOUR_MS]),
    misfire: random.pick(["once", "skip", "all"]),
    overlap: random.pick(["wait", "wait", "skip", "skip", "allow"]),
    deadlineMs: random.pick([null, null, null, 2 * HOUR_MS]),
    timeoutMs: random.pick([null, null, 3 * HOUR_MS]),
    retry: {
      maxAttempts: random.pick([1, 3, 0]),
      initialBackoffMs: 61_000,
      maxBackoffMs: 7_000_000,
      multiplier: 2,
    },
  };
  return { schedule, behaviour, more };
}

function randomSchedule(random: SeededRandom, timeZone: string, minuteOfDay: number, now: number): Schedule {
  if (random.chance(0.7)) {
    return {
      kind: "daily",
      secondOfDay: minuteOfDay * 60 + random.pick([0, 0, 30]),
      timeZone,
      gap: random.pick(["run_after", "skip"]),
      fold: random.pick(["first", "last", "both"]),
    };
  }
  if (random.chance(0.7)) return { kind: "cron", expression: random.pick(EXPRESSIONS), timeZone };
  const anchor = now - random.between(0, DAY_MS);
  return { kind: "interval", everyMs: random.between(4 * HOUR_MS, 9 * DAY_MS), anchor };
}

/** All end in the end, so that every book can be closed. */
function randomBounds(random: SeededRandom, schedule: Schedule, now: number, end: number): Bounds {
  const length = end - now;
  if (random.chance(0.1)) {
    // From a time on when the job is there for certain, whatever becomes of the call that adds it.
    const startAt = now + DAY_MS;
    const maxOccurrences = random.between(1, 1000);
    const asked = { schedule: { kind: "unchanged", schedule }, startAt, endAt: end, maxOccurrences } as const;
    const problems: Problem[] = [];
    const bounds = checkBounds(asked, schedule, now, problems);
    // In a short run a rare schedule may have none.
    if (problems.length === 0) return bounds;
  }
  const startAt = random.chance(0.1) ? now + random.between(1, length / 4) : null;
  const endAt = random.chance(0.1) ? end - random.between(1, length / 4) : end;
  return { ...NO_BOUNDS, startAt, endAt, lastAt: endAt };
}
