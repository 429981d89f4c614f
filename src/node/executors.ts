import type { HandlerSchemas } from "../contract/json-schemas.ts";

/** What a node needs of whatever runs the handlers. The threads are in `thread-pool.ts`. */
import type { LogLine } from "../core/log/log-line.ts";
import type { Progress } from "../core/log/progress.ts";

export interface Execution {
  readonly jobId: number;
  readonly claim: number;
  readonly attempt: number;
  readonly name: string;
  readonly handler: string;
  /** JSON text; null: none. */
  readonly payload: string | null;
  /** Epoch milliseconds. */
  readonly scheduledAt: number;
  /** Null: no limit. */
  readonly timeoutMs: number | null;
  /** Epoch milliseconds; null: no limit. */
  readonly deadline: number | null;
  /** In a thread of its own: it may be what ended the threads that it ran in before. */
  readonly alone: boolean;
}

export type ExecutionEnd =
  | { readonly kind: "succeeded" /** JSON text; null: none. */; readonly output: string | null }
  | {
      readonly kind: "failed";
      readonly error: ExecutionError;
      readonly isPermanent: boolean;
      /** The wait that the handler chose, instead of the retry policy's. */
      readonly retryAfterMs?: number;
    }
  | { readonly kind: "timed_out" }
  /** Its thread ended under it; `isBlameless`: another job was the cause. */
  | { readonly kind: "lost"; readonly reason: string; readonly isBlameless: boolean };

export interface ExecutionError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/** A running execution. */
export interface RunningExecution {
  /** Aborts its signal. A handler that does not end within `graceMs` loses its thread, and ends as lost. */
  abort(reason: string, graceMs: number): void;
}

/** What an execution tells of itself until it ends. */
export interface Listener {
  /** A line that its log is to have. */
  said(line: LogLine): void;
  progressed(progress: Progress): void;
}

export interface Executors {
  /** The handlers that there are, built-in and the user's. */
  readonly handlers: readonly string[];
  /** Whether the user has a `runJob`. */
  readonly hasRunJob: boolean;
  /** What those of the user take and give, as far as they say. */
  readonly schemas: readonly HandlerSchemas[];
  /** `ended` is called exactly once, and `listener` only before that. */
  run(execution: Execution, ended: (end: ExecutionEnd) => void, listener?: Listener): RunningExecution;
  stop(): Promise<void>;
}
