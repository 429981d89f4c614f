/**
 * A process of the benchmark: adds, or works (a peer's worker; our nodes are real ones). It does what
 * its parent tells it to, one call at a time, and answers.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Adder,
  type Addresses,
  type ContenderName,
  type NewJob,
  type PeerModule,
  preciseNow,
  type Worker,
} from "./contender.ts";

/** What a parent may ask of a child, with what it gets. Milliseconds unless said. */
export interface ChildCalls {
  openAdder(contender: ContenderName, addresses: Addresses): void;
  prepare(): void;
  openWorker(contender: ContenderName, addresses: Addresses): void;
  /** Adds one job a call, `concurrency` calls at a time. */
  addSingly(count: number, concurrency: number): number;
  /** Adds `perCall` jobs a call; with `due`, from its first instant on, evenly over its spread. */
  addInBulk(
    count: number,
    perCall: number,
    inFlight: number,
    due: { firstAt: number; spreadMs: number } | null,
  ): number;
  /** Adds stamped jobs one by one at an even rate; resolves when the last is acknowledged. Each add's time. */
  addPaced(perSecond: number, count: number): number[];
  unfinished(): number;
  /** Waits until the store has no unfinished job; the instant at which that was seen. */
  untilDone(limitMs: number): number;
  /** How late stamped jobs started; forgets them. */
  takeStamps(): number[];
  started(): number;
  memoryMb(): number;
  close(): void;
}

let adder: Adder | null = null;
let worker: Worker | null = null;
let stamps: number[] = [];
let startedJobs = 0;
const POLL_MS = 20;

async function load(contender: ContenderName): Promise<PeerModule> {
  return (await import(`./contenders/${contender}.ts`)) as PeerModule;
}

function theAdder(): Adder {
  if (adder === null) throw new Error("no adder is open");
  return adder;
}

function jobsFrom(
  first: number,
  count: number,
  total: number,
  due: { firstAt: number; spreadMs: number } | null,
): NewJob[] {
  return Array.from({ length: count }, (_, index): NewJob => {
    if (due === null) return {};
    // Whole milliseconds: what the contenders keep.
    const dueAt = Math.round(due.firstAt + ((first + index) * due.spreadMs) / total);
    return { dueAt, stamp: dueAt };
  });
}

const calls: {
  [K in keyof ChildCalls]: (...args: Parameters<ChildCalls[K]>) => Promise<ReturnType<ChildCalls[K]>>;
} = {
  async openAdder(contender, addresses) {
    adder = await (await load(contender)).openAdder(addresses);
  },
  prepare: () => theAdder().prepare(),
  async openWorker(contender, addresses) {
    worker = await (await load(contender)).openWorker(addresses, ({ stamp }) => {
      startedJobs++;
      if (stamp !== undefined) stamps.push(preciseNow() - stamp);
    });
  },
  async addSingly(count, concurrency) {
    const to = theAdder();
    let left = count;
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (left-- > 0) await to.add({});
      }),
    );
    return performance.now() - startedAt;
  },
  async addInBulk(count, perCall, inFlight, due) {
    const to = theAdder();
    let next = 0;
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (next < count) {
          const first = next;
          const size = Math.min(perCall, count - first);
          next += size;
          await to.addMany(jobsFrom(first, size, count, due));
        }
      }),
    );
    return performance.now() - startedAt;
  },
  async addPaced(perSecond, count) {
    const to = theAdder();
    const took: number[] = [];
    const pending: Promise<unknown>[] = [];
    const startedAt = performance.now();
    while (pending.length < count) {
      const due = Math.min(count, Math.ceil(((performance.now() - startedAt) * perSecond) / 1000));
      while (pending.length < due) {
        const at = performance.now();
        pending.push(to.add({ stamp: preciseNow() }).then(() => took.push(performance.now() - at)));
      }
      await sleep(1);
    }
    await Promise.all(pending);
    return took;
  },
  unfinished: () => theAdder().unfinished(),
  async untilDone(limitMs) {
    const limit = performance.now() + limitMs;
    for (;;) {
      const left = await theAdder().unfinished();
      if (left === 0) return preciseNow();
      if (performance.now() > limit) throw new Error(`${left} jobs are unfinished after ${limitMs} ms`);
      await sleep(POLL_MS);
    }
  },
  async takeStamps() {
    const taken = stamps;
    stamps = [];
    return taken;
  },
  started: async () => startedJobs,
  memoryMb: async () => process.memoryUsage.rss() / 2 ** 20,
  async close() {
    await worker?.close();
    await adder?.close();
  },
};

process.on(
  "message",
  (message: { readonly id: number; readonly call: keyof ChildCalls; readonly args: never[] }) => {
    const run = calls[message.call] as (...args: unknown[]) => Promise<unknown>;
    run(...message.args).then(
      (result) => process.send?.({ id: message.id, result }),
      (error: unknown) =>
        process.send?.({
          id: message.id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
    );
  },
);
process.on("disconnect", () => process.exit());
