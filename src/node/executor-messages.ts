import type { BuiltInSettings } from "../jobs/built-in.ts";
import type { Execution, ExecutionEnd } from "./executors.ts";

/** What the thread is started with. */
export interface ThreadData {
  /** File URL of the user's module; null: only the built-in handlers. */
  readonly handlersUrl: string | null;
  readonly builtIn: BuiltInSettings;
  /** See `thread-signals.ts`. */
  readonly signals: SharedArrayBuffer;
}

export interface KeyedExecution {
  readonly key: number;
  readonly execution: Execution;
}

export type ToThread =
  | { readonly kind: "run"; readonly runs: readonly KeyedExecution[] }
  | { readonly kind: "abort"; readonly key: number; readonly reason: string };

export type FromThread =
  | { readonly kind: "ready"; readonly handlers: string[]; readonly hasRunJob: boolean }
  | { readonly kind: "broken"; readonly message: string }
  | { readonly kind: "ended"; readonly key: number; readonly end: ExecutionEnd }
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
