import { Code } from "@connectrpc/connect";
import { RETRY_AFTER } from "../core/call-headers.ts";
import { errorResponse } from "./error-response.ts";
import type { Upstreams } from "./upstreams.ts";

const WITHIN_MS = 2_000;

/** Whether a node is ready for calls. Nodes answer this without a token. */
export async function askReadiness(
  upstreams: Upstreams,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<Response> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]);
  let why = "";
  for (let asked = 0; asked < upstreams.count && !limited.aborted; asked++) {
    const upstream = upstreams.current();
    try {
      const answer = await fetch(`${upstream}/readyz`, { signal: limited, redirect: "manual" });
      await answer.body?.cancel();
      if (answer.ok) return new Response("ok\n");
      why = "it answers, but is not ready";
    } catch {
      why = limited.aborted ? `no answer within ${WITHIN_MS} ms` : "it cannot be reached";
    }
    why = `${upstream}: ${why}`;
    upstreams.failed(upstream);
  }
  return errorResponse(Code.Unavailable, `no node is ready; last asked ${why}`, {
    headers: { [RETRY_AFTER]: "1" },
  });
}
