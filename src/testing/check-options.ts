/** What a test may say of its cluster, and what it is otherwise. What is wrong is told by the option's name. */

import { quote } from "../core/errors.ts";
import type { Jobs } from "../jobs/define-jobs.ts";
import { handlersOf } from "../node/check-exported.ts";
import { instantOf, msOf, type TestDuration, type TestMoment } from "./test-times.ts";

export interface NodeOptions {
  /** How many slots of jobs it runs at once; default 16. */
  readonly slots?: number;
  /** What jobs can require of it; default none. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface TestClusterOptions extends NodeOptions {
  /** The handlers: what a handlers module has as its default export, whose schedules are put. `echo`, `fail` and `sleep` are there besides. */
  readonly jobs: Jobs<never>;
  /** The time at which the test begins; default 2026-01-01T00:00:00Z. */
  readonly at?: TestMoment;
  /** How many nodes there are at first, node-1, node-2 …; default 1. */
  readonly nodes?: number;
  /** Chooses ids, placement, jitter and backoffs. The same seed gives the same run; default 1. */
  readonly seed?: number;
  /** How long, in real time, a handler may be busy with something real, such as a file, before it is an error; default 4,000. */
  readonly handlerLimitMs?: number;
  /** As the setting NODE_LEASE_MS; default 10m, as heartbeats take most of the time that a quiet day costs. */
  readonly nodeLease?: TestDuration;
  /** As the setting LOCK_TTL_MS; default 5m, likewise. */
  readonly lockTtl?: TestDuration;
  /** Is given each line that a node logs. */
  readonly log?: (line: string) => void;
}

export interface CheckedOptions {
  readonly jobs: Jobs;
  readonly at: number;
  readonly nodes: number;
  readonly seed: number;
  readonly handlerLimitMs: number;
  readonly nodeLeaseMs: number;
  readonly lockTtlMs: number;
  readonly log: ((line: string) => void) | undefined;
}

const LEAST_LEASE_MS = 1_000;
const LEAST_TTL_MS = 500;
const MAX_NODES = 100;
const MAX_SLOTS = 10_000;
const DEFAULT_SLOTS = 16;
/** Less than the limit of a test, as runners have it. */
const DEFAULT_HANDLER_LIMIT_MS = 4_000;
const DEFAULT_START = Date.UTC(2026, 0, 1);

const OPTIONS: ReadonlySet<string> = new Set([
  "jobs",
  "at",
  "nodes",
  "slots",
  "labels",
  "seed",
  "handlerLimitMs",
  "nodeLease",
  "lockTtl",
  "log",
] satisfies (keyof TestClusterOptions)[]);
const NODE_OPTIONS: ReadonlySet<string> = new Set(["slots", "labels"] satisfies (keyof NodeOptions)[]);

export function checkOptions(options: TestClusterOptions): CheckedOptions {
  refuseOthers("testCluster", options, OPTIONS);
  const { nodes = 1, seed = 1, handlerLimitMs = DEFAULT_HANDLER_LIMIT_MS, log } = options;
  const nodeLeaseMs = least("nodeLease", options.nodeLease ?? "10m", LEAST_LEASE_MS);
  const lockTtlMs = least("lockTtl", options.lockTtl ?? "5m", LEAST_TTL_MS);
  // As for the settings of a node.
  if (nodeLeaseMs <= lockTtlMs) throw new TypeError("nodeLease: is too short; more than lockTtl is accepted");
  return {
    jobs: checkJobs(options.jobs),
    at: instantOf("at", options.at ?? DEFAULT_START),
    nodes: whole("nodes", nodes, 1, MAX_NODES),
    seed: whole("seed", seed, 0, Number.MAX_SAFE_INTEGER),
    handlerLimitMs: whole("handlerLimitMs", handlerLimitMs, 1, 2 ** 31 - 1),
    nodeLeaseMs,
    lockTtlMs,
    log,
  };
}

/** Of `addNode`. */
export function checkNodeOptions(options: NodeOptions): Required<NodeOptions> {
  refuseOthers("addNode", options, NODE_OPTIONS);
  return checkNode(options);
}

export function checkNode({ slots = DEFAULT_SLOTS, labels = {} }: NodeOptions): Required<NodeOptions> {
  for (const [name, value] of Object.entries(labels)) {
    if (typeof value === "string") continue;
    throw new TypeError(`labels.${name}: is of type ${typeof value}; a text is accepted`);
  }
  return { slots: whole("slots", slots, 0, MAX_SLOTS), labels };
}

/** What is misspelt would else be as if it were not there. */
function refuseOthers(field: string, options: unknown, known: ReadonlySet<string>): void {
  const accepted = [...known].join(", ");
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${field}: is given no options; an object is accepted, with ${accepted}`);
  }
  const other = Object.keys(options).find((name) => !known.has(name));
  if (other === undefined) return;
  throw new TypeError(`${field}: there is no option ${quote(other)}; there are ${accepted}`);
}

function checkJobs(jobs: unknown): Jobs {
  try {
    return handlersOf({ default: jobs });
  } catch (error) {
    const why = error instanceof Error ? error.message.replace("its default export", "it") : String(error);
    throw new TypeError(`jobs: ${why}`, { cause: error });
  }
}

function whole(field: string, value: unknown, from: number, to: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= from && value <= to) return value;
  throw new TypeError(`${field}: ${String(value)} is not accepted; a whole number from ${from} to ${to} is`);
}

function least(field: string, duration: TestDuration, leastMs: number): number {
  const ms = msOf(field, duration);
  if (ms >= leastMs) return ms;
  throw new TypeError(`${field}: ${String(duration)} is too short; ${leastMs} ms or more is accepted`);
}
