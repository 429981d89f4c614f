/**
 * Adds jobs of all kinds through random nodes, as impatient callers do: each add has a key, and is made
 * again, perhaps at another node, until it is acknowledged. What jobs there are is decided by the seed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../../src/client/client.ts";
import type { ElasticJobClient } from "../../src/client/elastic-job-client.ts";
import { createHttp2Transport } from "../../src/client/http2.ts";
import type { AddJobInput } from "../../src/client/job-json.ts";
import { SeededRandom } from "../../src/testing/seeded-random.ts";
import type { Acknowledged } from "./evidence.ts";

const SCHEDULES = [
  { cron: { expression: "* * * * * *" } },
  { cron: { expression: "*/2 * * * * *" } },
  { interval: { every: "1.5s" } },
] as const;
const CALL_TIMEOUT_MS = 4_000;
/** As callers that wait for their answers would: no more adds at once than this. */
const MOST_PENDING = 200;

export interface Workload {
  readonly acknowledged: readonly Acknowledged[];
  /** Adds that are under way. */
  readonly pending: number;
  /** No more adds; resolves when those under way are acknowledged, and throws if they are not in time. */
  finish(limitMs: number): Promise<void>;
}

export interface WorkloadOptions {
  readonly seed: number;
  readonly urls: () => readonly string[];
  readonly jobsPerSecond: number;
  readonly recurring?: number;
  /** Also jobs that ignore their abort, burn CPU, or block their thread for good (these need a timeout, and end as FAILED). */
  readonly rough?: boolean;
}

export function oneJob(random: SeededRandom, name: string, rough: boolean): AddJobInput {
  const retry = { initialBackoff: "0.1s", maxBackoff: "1s" } as const;
  const base = { name, idempotencyKey: name, retry };
  const kind = random.next();
  if (rough && kind < 0.01)
    return { ...base, handler: "spin", timeout: "1s", retry: { ...retry, maxAttempts: 1 } };
  if (rough && kind < 0.03)
    // Those that take longer than their timeout never succeed.
    return {
      ...base,
      handler: "stubborn",
      payload: { ms: random.between(500, 4000) },
      timeout: "2s",
      retry: { ...retry, maxAttempts: 3 },
    };
  if (rough && kind < 0.06) return { ...base, handler: "burn", payload: { ms: random.between(5, 50) } };
  if (kind < 0.2) return { ...base, handler: "effect", payload: { failures: random.between(1, 3) } };
  if (kind < 0.35) return { ...base, handler: "effect", timed: { delay: `${random.between(1, 30) / 10}s` } };
  if (kind < 0.5) return { ...base, handler: "effect", payload: { ms: random.between(200, 1500) } };
  return {
    ...base,
    handler: "effect",
    payload: { ms: random.between(0, 30) },
    priority: random.between(0, 3),
  };
}

/** In every name, so that loads of one process never share a key. */
let loads = 0;

export function startWorkload(options: WorkloadOptions): Workload {
  const load = `load ${++loads}`;
  const random = new SeededRandom(options.seed);
  const acknowledged: Acknowledged[] = [];
  const clients = new Map<string, ElasticJobClient>();
  const stopping = new AbortController();
  const under = new Set<Promise<void>>();
  let count = 0;
  const failures = new Map<string, number>();

  const clientAt = (url: string) => {
    let client = clients.get(url);
    if (client === undefined) {
      // Every other one adds on a stream.
      const way = clients.size % 2 === 0 ? { baseUrl: url } : { transport: createHttp2Transport(url) };
      client = createClient({ ...way, timeoutMs: CALL_TIMEOUT_MS, retryUnreachable: false });
      clients.set(url, client);
    }
    return client;
  };

  async function addUntilAcknowledged(job: AddJobInput & { name: string }, at: SeededRandom): Promise<void> {
    for (;;) {
      try {
        const { jobId } = await clientAt(at.pick(options.urls())).addJob(job);
        acknowledged.push({ jobId: Number(jobId), name: job.name });
        return;
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        failures.set(text, (failures.get(text) ?? 0) + 1);
        await sleep(100);
      }
    }
  }

  function add(job: AddJobInput, name: string): void {
    const adding = addUntilAcknowledged({ ...job, name }, random.fork());
    under.add(adding);
    void adding.finally(() => under.delete(adding));
  }

  for (let index = 0; index < (options.recurring ?? 0); index++) {
    const name = `${load}: recurring ${index}`;
    const misfire = (["MISFIRE_ONCE", "MISFIRE_SKIP", "MISFIRE_ALL"] as const)[index % 3] ?? "MISFIRE_ONCE";
    const schedule = SCHEDULES[index % SCHEDULES.length];
    const payload = { ms: random.between(0, 300) };
    add({ handler: "effect", idempotencyKey: name, ...schedule, misfire, payload }, name);
  }
  const run = async () => {
    const startedAt = performance.now();
    while (!stopping.signal.aborted) {
      const due = ((performance.now() - startedAt) / 1000) * options.jobsPerSecond;
      for (; count < due; count++) {
        if (under.size >= MOST_PENDING) continue;
        const name = `${load}: job ${count}`;
        add(oneJob(random, name, options.rough ?? false), name);
      }
      await sleep(20);
    }
  };
  const running = run();
  return {
    acknowledged,
    get pending() {
      return under.size;
    },
    async finish(limitMs) {
      stopping.abort();
      await running;
      const limit = new AbortController();
      const late = sleep(limitMs, true, { signal: limit.signal }).catch(() => false);
      const isLate = await Promise.race([late, Promise.all(under).then(() => false)]);
      limit.abort();
      if (isLate) {
        const why = [...failures].map(([text, times]) => `${times}× ${text}`).join("\n");
        throw new Error(
          `${under.size} adds were not acknowledged within ${limitMs} ms; failures so far:\n${why}`,
        );
      }
    },
  };
}
