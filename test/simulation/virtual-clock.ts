/**
 * Time that passes only when nothing is left to do. All waits of all simulated processes are events
 * in one queue, in a fixed order; between two events every promise that can go on does.
 */
import type { Clock } from "../../src/core/clock.ts";
import { Heap, type HeapItem } from "../../src/core/queues/heap.ts";

/** Where the database's wall clock stands when a simulation begins: 2026-01-01T00:00:00Z. */
export const START = Date.UTC(2026, 0, 1);

interface Event extends HeapItem {
  readonly at: number;
  readonly sequence: number;
  run: (() => void) | null;
}

export class VirtualTime {
  /** Milliseconds since the simulation began. */
  now = 0;
  private sequence = 0;
  private readonly events = new Heap<Event>();
  private readonly polls = new Heap<Event>();
  /** Where the database's wall clock stood when the simulation began. */
  readonly start: number;

  constructor(start = START) {
    this.start = start;
  }

  after(ms: number, run: () => void): () => void {
    return this.add(this.events, ms, run);
  }

  /**
   * For what only looks whether there is something to do: it happens together with the next event
   * that matters, so that a quiet day takes no time at all.
   */
  afterAtLeast(ms: number, run: () => void): () => void {
    return this.add(this.polls, ms, run);
  }

  private add(heap: Heap<Event>, ms: number, run: () => void): () => void {
    const event: Event = { at: this.now + Math.max(0, ms), sequence: this.sequence++, run, heapIndex: -1 };
    heap.push(event, event.at, event.sequence);
    return () => {
      if (event.heapIndex >= 0) heap.remove(event);
    };
  }

  /** Goes on until the condition holds, looking at it after each event. False: it did not within `limitMs`. */
  async runUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    const end = this.now + limitMs;
    await settle();
    while (!condition()) {
      const event = this.events.first();
      if (event === undefined || event.at > end) {
        this.now = end;
        return condition();
      }
      this.now = event.at;
      const poll = this.polls.first();
      if (poll !== undefined && poll.at <= event.at) this.polls.pop()?.run?.();
      else this.events.pop()?.run?.();
      await settle();
    }
    return true;
  }

  async advance(ms: number): Promise<void> {
    await this.runUntil(() => false, ms);
  }
}

/** Lets every promise chain run dry: microtasks all run before the next turn of the event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * What lets anything reach a process: nothing reaches a dead one, and what was meant for one that is
 * stopped (SIGSTOP) reaches it all at once when it goes on.
 */
export class Gate {
  private held: (() => void)[] = [];
  private state: "open" | "frozen" | "dead" = "open";

  get isDead(): boolean {
    return this.state === "dead";
  }

  get isFrozen(): boolean {
    return this.state === "frozen";
  }

  deliver(run: () => void): void {
    if (this.state === "open") run();
    else if (this.state === "frozen") this.held.push(run);
  }

  freeze(): void {
    if (this.state === "open") this.state = "frozen";
  }

  thaw(): void {
    if (this.state !== "frozen") return;
    this.state = "open";
    for (const run of this.held.splice(0)) run();
  }

  kill(): void {
    this.state = "dead";
    this.held = [];
  }
}

/** Whether a wait is one between two looks at nothing in particular. */
export type IsPoll = (ms: number, callback: () => void) => boolean;

/** The clock of one process. Its wall clock may be wrong, and may jump; its monotonic one starts anywhere. */
export class ProcessClock implements Clock {
  /** How far its wall clock is off. */
  skewMs: number;
  private readonly time: VirtualTime;
  private readonly gate: Gate;
  private readonly bootedAt: number;
  private readonly isPoll: IsPoll;

  constructor(parts: {
    time: VirtualTime;
    gate: Gate;
    skewMs: number;
    uptimeMs: number;
    isPoll?: IsPoll;
  }) {
    const { time, gate, skewMs, uptimeMs } = parts;
    this.isPoll = parts.isPoll ?? (() => false);
    this.time = time;
    this.gate = gate;
    this.skewMs = skewMs;
    this.bootedAt = -uptimeMs;
  }

  now(): number {
    return this.time.start + this.time.now + this.skewMs;
  }

  monotonic(): number {
    return this.time.now - this.bootedAt;
  }

  after(ms: number, callback: () => void): () => void {
    let isCancelled = false;
    const deliver = () =>
      this.gate.deliver(() => {
        if (!isCancelled) callback();
      });
    const cancel = this.isPoll(ms, callback)
      ? this.time.afterAtLeast(ms, deliver)
      : this.time.after(ms, deliver);
    return () => {
      isCancelled = true;
      cancel();
    };
  }
}
