/** Time as everything in the project sees it: tests replace it with a virtual clock. */
export interface Clock {
  /** Wall clock, in epoch milliseconds: for "when is it due". It may jump. */
  now(): number;
  /** Milliseconds since some fixed moment: for "how long ago". It never goes back. */
  monotonic(): number;
  /** Calls back once, `ms` from now, never earlier by this monotonic clock. Returns what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** Resolves after `ms`, or at once when `signal` aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}
