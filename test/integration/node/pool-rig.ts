/** A real pool of threads, and promises for what goes on in it. */
import { BroadcastChannel } from "node:worker_threads";
import type { LogLine } from "../../../src/core/log/log-line.ts";
import type { Progress } from "../../../src/core/log/progress.ts";
import type { Execution, ExecutionEnd, RunningExecution } from "../../../src/node/executors.ts";
import type { ThreadLimits } from "../../../src/node/thread-limits.ts";
import { startThreadPool, type ThreadPoolOptions } from "../../../src/node/thread-pool.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";

const LIMIT_MS = 20_000;
const TROUBLE = new URL("./handlers/trouble.ts", import.meta.url).href;
const QUICK: Partial<ThreadLimits> = {
  timeoutGraceMs: 100,
  blockedMs: 600,
  retireMs: 600,
  restartMs: 50,
};

/** What a handler told by `tell`. */
interface Told {
  readonly what: string;
  readonly jobId: string;
  readonly threadId: number;
  readonly inside: number;
}

export interface Run extends RunningExecution {
  readonly jobId: number;
  /** What its log has so far. */
  readonly lines: readonly LogLine[];
  /** What it has told of its progress so far. */
  readonly progress: readonly Progress[];
  readonly end: Promise<ExecutionEnd>;
}

export type PoolRig = Awaited<ReturnType<typeof startRig>>;

export async function startRig(options: Partial<ThreadPoolOptions> = {}) {
  const heard: Told[] = [];
  let listeners: (() => void)[] = [];
  const channel = new BroadcastChannel("trouble");
  channel.addEventListener("message", (event) => {
    heard.push((event as MessageEvent<Told>).data);
    for (const listen of listeners.splice(0)) listen();
  });
  const pool = await startThreadPool({
    threads: 1,
    handlersUrl: TROUBLE,
    env: {},
    clock: systemClock,
    logger: silentLogger,
    ...options,
    limits: { ...QUICK, ...options.limits },
  }).catch((error: unknown) => {
    channel.close();
    throw error;
  });
  let lastJobId = 0;

  function run(handler: string, changes: Partial<Execution> = {}): Run {
    const jobId = changes.jobId ?? ++lastJobId;
    const execution: Execution = {
      jobId,
      claim: 1,
      attempt: 1,
      name: handler,
      handler,
      payload: null,
      scheduledAt: 0,
      timeoutMs: null,
      deadline: null,
      alone: false,
      ...changes,
    };
    let ends = 0;
    let running: RunningExecution | null = null;
    const lines: LogLine[] = [];
    const progress: Progress[] = [];
    const end = new Promise<ExecutionEnd>((resolve, reject) => {
      running = pool.run(
        execution,
        (value) => {
          if (++ends > 1) throw new Error(`job ${jobId} has ended ${ends} times`);
          resolve(value);
        },
        { said: (line) => lines.push(line), progressed: (latest) => progress.push(latest) },
      );
      setTimeout(() => reject(new Error(`${handler} has not ended within ${LIMIT_MS} ms`)), LIMIT_MS).unref();
    });
    // A test that fails before it waits for this one shows its own error.
    end.catch(() => {});
    return { jobId, lines, progress, end, abort: (reason, graceMs) => running?.abort(reason, graceMs) };
  }

  async function told(what: string, { jobId }: Run): Promise<Told> {
    for (const limit = performance.now() + LIMIT_MS; performance.now() < limit; ) {
      const found = heard.find((each) => each.what === what && each.jobId === String(jobId));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LIMIT_MS);
        listeners.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    throw new Error(`job ${jobId} has not told "${what}" within ${LIMIT_MS} ms`);
  }

  return {
    pool,
    heard,
    run,
    told,
    /** Starts it, and waits until the handler says that it has begun. */
    async begin(handler: string, changes: Partial<Execution> = {}): Promise<Run> {
      const started = run(handler, changes);
      await told("begun", started);
      return started;
    },
    async stop(): Promise<void> {
      await pool.stop();
      listeners = [];
      channel.close();
    },
  };
}
