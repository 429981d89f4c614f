/**
 * Adds at a steady rate through the edge, one plain request each, as `curl` would: nothing here tries again. An
 * add that is not answered with its job's id is a failure, whatever happened to the master meanwhile.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Acknowledged } from "../cluster/evidence.ts";

export interface Load {
  readonly acknowledged: readonly Acknowledged[];
  /** The longest that an add has waited since this was last asked, in milliseconds. */
  longestWaitMs(): number;
  /** No more adds; resolves when those under way have ended, with those that failed. */
  finish(): Promise<readonly string[]>;
}

const ADD_LIMIT_MS = 45_000;

export function startLoad(edgeUrl: string, token: string, addsPerSecond: number): Load {
  const acknowledged: Acknowledged[] = [];
  const failures: string[] = [];
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  let longest = 0;
  let count = 0;

  async function add(name: string): Promise<void> {
    const startedAt = performance.now();
    const short = count % 4 !== 0;
    const body = {
      name,
      handler: "effect",
      payload: { ms: short ? 5 : 1_500 },
      retry: { initialBackoff: "0.1s" },
    };
    try {
      const response = await fetch(`${edgeUrl}/JobService/AddJob`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: {
          "content-type": "application/json",
          "connect-timeout-ms": String(ADD_LIMIT_MS),
          authorization: `Bearer ${token}`,
        },
        signal: AbortSignal.timeout(ADD_LIMIT_MS + 5_000),
      });
      const text = await response.text();
      if (!response.ok) failures.push(`${name}: ${response.status} ${text}`);
      else acknowledged.push({ jobId: Number(JSON.parse(text).jobId), name });
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    longest = Math.max(longest, performance.now() - startedAt);
  }

  const run = async () => {
    const startedAt = performance.now();
    while (!stopping.signal.aborted) {
      const due = ((performance.now() - startedAt) / 1000) * addsPerSecond;
      while (count < due) {
        const adding = add(`job ${count++}`);
        underWay.add(adding);
        void adding.finally(() => underWay.delete(adding));
      }
      await sleep(20);
    }
  };
  const running = run();
  return {
    acknowledged,
    longestWaitMs() {
      const ms = longest;
      longest = 0;
      return ms;
    },
    async finish() {
      stopping.abort();
      await running;
      await Promise.all(underWay);
      return failures;
    },
  };
}
