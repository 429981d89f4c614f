import type { Execution, ExecutionEnd } from "./executors.ts";

/** What the thread is started with. */
export interface ThreadData {
  /** File URL of the user's module; null: only the built-in handlers. */
  readonly handlersUrl: string | null;
  /** One Int32 that the thread counts up as long as its event loop turns. */
  readonly turns: SharedArrayBuffer;
}

export type ToThread =
  | { readonly kind: "run"; readonly key: number; readonly execution: Execution }
  | { readonly kind: "abort"; readonly key: number; readonly reason: string };

export type FromThread =
  | { readonly kind: "ready"; readonly handlers: string[]; readonly hasRunJob: boolean }
  | { readonly kind: "broken"; readonly message: string }
  | {
      readonly kind: "ended";
      readonly ends: readonly { readonly key: number; readonly end: ExecutionEnd }[];
    };

/** How often a thread counts a turn. */
export const TURN_MS = 250;
