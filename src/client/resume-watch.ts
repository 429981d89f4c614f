import { Code, ConnectError } from "@connectrpc/connect";
import { abortWith } from "./abort-with.ts";
import { backoffMs, pause, type RetryOptions, retryHintMs } from "./retry-policy.ts";

/**
 * A stream that starts with the present state can simply be opened again when it is cut. Gives up
 * when the cluster has been out of reach for `outageMs`, counted from its last message.
 */
export async function* resumeWatch<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  options: Omit<RetryOptions, "deadlineMs"> & { readonly outageMs: number },
): AsyncGenerator<T, void> {
  const { outageMs, retryable, random } = options;
  let lastHeard = performance.now();
  for (let retry = 0; ; retry++) {
    // Aborted when the consumer leaves the loop: else the server's end would stay open.
    const stop = new AbortController();
    const part = abortWith(stop, options.signal);
    const silent = setTimeout(
      () => stop.abort(new ConnectError(`no answer within ${outageMs} ms`, Code.DeadlineExceeded)),
      outageMs,
    );
    try {
      for await (const message of open(stop.signal)) {
        clearTimeout(silent);
        retry = 0;
        yield message;
        lastHeard = performance.now();
      }
      return;
    } catch (error) {
      if (options.signal?.aborted || !retryable(error)) throw error;
      const waitMs = Math.max(backoffMs(retry, random), retryHintMs(ConnectError.from(error).metadata));
      if (performance.now() + waitMs - lastHeard >= outageMs) throw error;
      await pause(waitMs, options.signal);
    } finally {
      clearTimeout(silent);
      part();
      stop.abort();
    }
  }
}
