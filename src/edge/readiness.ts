import { Code } from "@connectrpc/connect";
import { RETRY_AFTER } from "../core/call-headers.ts";
import { sentenceOf } from "../core/readiness/silence.ts";
import { errorResponse } from "./error-response.ts";
import { whyUnreached } from "./unreached.ts";
import type { Upstreams } from "./upstreams.ts";

/**
 * A node that lives answers in milliseconds. Whoever probes the edge waits as long, and must hear of a fault within 3 s, of
 * which the nodes take two: of a master that is frozen the others know only then, and it is asked, too.
 */
const WITHIN_MS = 800;

interface Standing {
  readonly upstream: string;
  /** null: it would answer an add now. */
  readonly why: string | null;
  /** Whether it says so itself. */
  readonly isAnswer: boolean;
}

/**
 * Whether an add would be answered now, as the nodes say, which answer this without a token. All are asked at once: one
 * that is frozen must not hide that another is ready.
 */
export async function askReadiness(
  upstreams: Upstreams,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<Response> {
  const enough = new AbortController();
  const startedAt = performance.now();
  const late = AbortSignal.timeout(WITHIN_MS);
  const stop = AbortSignal.any([signal, late, enough.signal]);
  const unready: Standing[] = [];
  const asked = upstreams.all.map(async (upstream) => {
    const standing = await ask(upstream, fetch, stop, startedAt);
    if (standing.why === null) return standing;
    unready.push(standing);
    throw new Error(standing.why);
  });
  try {
    await Promise.any(asked);
    for (const { upstream } of unready) upstreams.failed(upstream);
    return new Response("ok\n");
  } catch {
    const { why } = unready.find(({ isAnswer }) => isAnswer) ?? unready[0] ?? { why: "" };
    return errorResponse(Code.Unavailable, `no node is ready: ${why}`, { headers: { [RETRY_AFTER]: "1" } });
  } finally {
    enough.abort();
  }
}

async function ask(
  upstream: string,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
  startedAt: number,
): Promise<Standing> {
  try {
    const answer = await fetch(`${upstream}/readyz`, { signal, redirect: "manual" });
    if (answer.ok) {
      await answer.body?.cancel();
      return { upstream, why: null, isAnswer: true };
    }
    return { upstream, why: reasonIn(await answer.text()) ?? `${upstream} does not say why`, isAnswer: true };
  } catch (error) {
    const ms = performance.now() - startedAt;
    const why = signal.aborted
      ? sentenceOf({ who: upstream, how: "silent", ms })
      : `${upstream} cannot be reached: ${whyUnreached(upstream, error)}`;
    return { upstream, why, isAnswer: false };
  }
}

/** The message of an error as Connect writes it; null: it is none. */
function reasonIn(text: string): string | null {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" && message !== "" ? message : null;
  } catch {
    return null;
  }
}
