import type { HandlerSchemas } from "../contract/json-schemas.ts";
import type { LogLine } from "../core/log/log-line.ts";
import type { Progress } from "../core/log/progress.ts";
import type { BuiltInSettings } from "../jobs/built-in.ts";
import type { Execution, ExecutionEnd } from "./executors.ts";

/** What the thread is started with. */
export interface ThreadData {
  /** File URL of the user's module; null: only the built-in handlers. */
  readonly handlersUrl: string | null;
  readonly builtIn: BuiltInSettings;
  /** See `thread-signals.ts`. */
  readonly signals: SharedArrayBuffer;
  /** See `answer-ring.ts`. */
  readonly answers: SharedArrayBuffer;
}

/** What a thread has to know of an execution, under the key that it has there. */
export interface Run extends Omit<Execution, "timeoutMs" | "alone"> {
  readonly key: number;
}

/** A Run as it is sent: a list costs a third of what an object does. */
export type PackedRun = readonly [
  key: number,
  jobId: number,
  claim: number,
  attempt: number,
  name: string,
  handler: string,
  payload: string | null,
  scheduledAt: number,
  deadline: number | null,
];

export function packRun(key: number, execution: Execution): PackedRun {
  const { jobId, claim, attempt, name, handler, payload, scheduledAt, deadline } = execution;
  return [key, jobId, claim, attempt, name, handler, payload, scheduledAt, deadline];
}

export function unpackRun(packed: PackedRun): Run {
  const [key, jobId, claim, attempt, name, handler, payload, scheduledAt, deadline] = packed;
  return { key, jobId, claim, attempt, name, handler, payload, scheduledAt, deadline };
}

export type ToThread =
  | { readonly kind: "run"; readonly runs: readonly PackedRun[] }
  | { readonly kind: "abort"; readonly key: number; readonly reason: string }
  /** It is about to be ended: what its handlers share there is to be put away. */
  | { readonly kind: "tear_down" }
  /** What became of a job that an execution adds. */
  | { readonly kind: "added"; readonly key: number; readonly call: number; readonly answer: AddAnswer };

export type AddAnswer = { readonly jobId: string } | { readonly code: string; readonly message: string };

/** What the user's module has, with the built-in handlers. */
export interface Offer {
  readonly handlers: readonly string[];
  readonly hasRunJob: boolean;
  /** As JSON text; null: none. */
  readonly schedules: string | null;
  /** Of handlers that say what they take and give. */
  readonly schemas: readonly HandlerSchemas[];
  /** Schemas that are too large to be told. */
  readonly schemasLeftOut: readonly string[];
  /** Whether something is to be done before the thread ends. */
  readonly hasTeardown: boolean;
}

export const NO_OFFER: Offer = {
  handlers: [],
  hasRunJob: false,
  schedules: null,
  schemas: [],
  schemasLeftOut: [],
  hasTeardown: false,
};

/** A line, and the execution that says it. */
export type SaidLine = readonly [key: number, line: LogLine];

export type FromThread =
  /** Its module is loaded, and its setup has begun. */
  | { readonly kind: "setting_up" }
  | ({ readonly kind: "ready" } & Offer)
  | { readonly kind: "broken"; readonly message: string }
  /** Its teardown is over; null: without a problem. */
  | { readonly kind: "torn_down"; readonly problem: string | null }
  /** An answer that is none for the ring. */
  | { readonly kind: "ended"; readonly key: number; readonly end: ExecutionEnd }
  /** There are answers in the ring. */
  | { readonly kind: "answered" }
  | { readonly kind: "said"; readonly lines: readonly SaidLine[] }
  | { readonly kind: "progress"; readonly key: number; readonly progress: Progress }
  /** An execution adds a job; `request`: an AddJobRequest as JSON. */
  | { readonly kind: "add"; readonly key: number; readonly call: number; readonly request: string }
  /** It ends now, because of this execution's code (null: not of one of them). */
  | {
      readonly kind: "dying";
      readonly key: number | null;
      readonly reason: string;
      readonly end: ExecutionEnd;
    }
  /** A handler has started a process group, which must not outlive the thread; or that has ended. */
  | { readonly kind: "process"; readonly group: number; readonly isRunning: boolean };

/** How often a thread counts a turn. */
export const TURN_MS = 250;
