/** Why a node gave no answer, in words for callers and probes. */
import { tlsProblem } from "./tls-problem.ts";

const DEEPEST = 5;

/** Nobody listened, or not by such a TLS: of the call, not a byte was taken. Node tells it by a code, Deno only by words. */
export function isRefused(error: unknown): boolean {
  return tlsProblem(error) !== null || nobodyListens(error);
}

export function whyUnreached(upstream: string, error: unknown): string {
  const problem = tlsProblem(error);
  if (problem !== null) return problem;
  if (nobodyListens(error)) return "nobody listens there";
  const broke = "the connection broke";
  // What a node says of a missing certificate can be lost with the connection; of one that never spoke TLS that would lead astray.
  return upstream.startsWith("https:") && wasSpokenTo(error)
    ? `${broke}; a node that asks for a certificate ends it so, too: see TLS_CERT_FILE of the edge`
    : broke;
}

function nobodyListens(error: unknown): boolean {
  return causesOf(error).some(
    (cause) =>
      ("code" in cause && (cause.code === "ECONNREFUSED" || cause.code === "ENOTFOUND")) ||
      /connection refused|dns error/i.test(cause.message),
  );
}

/** Whether the other side has said anything on the connection; where the runtime does not tell, it may have. */
function wasSpokenTo(error: unknown): boolean {
  for (const cause of causesOf(error)) {
    if ("socket" in cause)
      return ((cause.socket as { readonly bytesRead?: number } | null)?.bytesRead ?? 0) > 0;
    // Of Node's own: no connection has come to be.
    if ("code" in cause) return false;
  }
  return true;
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause = error; cause instanceof Error && causes.length < DEEPEST; cause = cause.cause)
    causes.push(cause);
  return causes;
}
