/** Handlers that misbehave in every way, and tell the test what they do. */
import { EventEmitter } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { BroadcastChannel, threadId } from "node:worker_threads";
import { defineJobs, type HandlerContext, type HandlerJob } from "../../../../src/index.ts";

const channel = new BroadcastChannel("trouble");
channel.unref();
let inside = 0;
let waiting: (() => void)[] = [];

function tell(what: string, job: HandlerJob): void {
  channel.postMessage({ what, jobId: job.id, threadId, inside });
}

/** Resolves never; rejects at its abort. */
function untilAborted({ signal }: HandlerContext): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

export default defineJobs({
  /** Ends when `payload` of them are here. */
  meet: async (job) => {
    inside++;
    const all = waiting;
    const met = new Promise<void>((resolve) => all.push(resolve));
    if (all.length === job.payload) {
      waiting = [];
      for (const resolve of all) resolve();
    }
    await met;
    inside--;
    return threadId;
  },
  where: () => threadId,
  hold: async (job, ctx) => {
    tell("begun", job);
    await untilAborted(ctx);
  },
  brief: async (job) => {
    inside++;
    tell("begun", job);
    await wait(20);
    inside--;
    tell("done", job);
    return threadId;
  },
  block: (job) => {
    tell("begun", job);
    for (;;);
  },
  blockLater: async (job) => {
    await wait(20);
    tell("begun", job);
    for (;;);
  },
  blockFor: async (job) => {
    const until = performance.now() + job.payload.ms;
    tell("begun", job);
    while (performance.now() < until);
    return "late";
  },
  zombie: async (job) => {
    tell("begun", job);
    for (;;) {
      await wait(5);
      tell("alive", job);
    }
  },
  abortThenBlock: async (job, { signal }) => {
    tell("begun", job);
    signal.addEventListener("abort", () => {
      for (;;);
    });
    await new Promise(() => {});
  },
  uncaught: async (job, ctx) => {
    tell("begun", job);
    setTimeout(() => {
      throw new RangeError("thrown by a timer");
    }, 10);
    await untilAborted(ctx);
  },
  unhandled: async (job, ctx) => {
    tell("begun", job);
    void wait(10).then(() => Promise.reject(new TypeError("nobody waits for this")));
    await untilAborted(ctx);
  },
  emitter: async (job, ctx) => {
    tell("begun", job);
    const emitter = new EventEmitter();
    setTimeout(() => emitter.emit("error", new Error("an event without a listener")), 10);
    await untilAborted(ctx);
  },
  badListener: async (job, { signal }) => {
    tell("begun", job);
    signal.addEventListener("abort", () => {
      throw new Error("thrown at the abort");
    });
    await new Promise(() => {});
  },
  exit: async (job, ctx) => {
    tell("begun", job);
    setTimeout(() => process.exit(3), 10);
    await untilAborted(ctx);
  },
  endsThenThrows: async () => {
    setTimeout(() => {
      throw new Error("after the end");
    }, 10);
    return "ended";
  },
  deadline: (_, ctx) => ({ deadline: ctx.deadline?.getTime() ?? null }),
  census: () => ({
    timers: process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  }),
  print: () => {
    process.stdout.write("to stdout\n");
    console.error("to stderr");
  },
  bad: () => ({
    get n() {
      throw new Error("not as JSON");
    },
  }),
  /** Takes all the memory that its thread may have. */
  hoard: async (job) => {
    tell("begun", job);
    const kept: unknown[] = [];
    for (;;) kept.push(Array.from({ length: 100_000 }, () => kept.length));
  },
});
