/**
 * Time that passes only when nothing is left to do. All waits of all simulated processes are events
 * in one queue, in a fixed order; between two events every promise that can go on does.
 */
import type { Clock } from "../../src/core/clock.ts";
import { Heap, type HeapItem } from "../../src/core/heap.ts";

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
  private readonly events = new Heap<Event>(
    (a, b) => a.at - b.at < 0 || (a.at === b.at && a.sequence < b.sequence),
  );

  after(ms: number, run: () => void): () => void {
    const event: Event = { at: this.now + Math.max(0, ms), sequence: this.sequence++, run, heapIndex: -1 };
    this.events.push(event);
    return () => {
      if (event.heapIndex >= 0) this.events.remove(event);
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
      this.events.pop();
      this.now = event.at;
      event.run?.();
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

/** The clock of one process. Its wall clock may be wrong, and may jump; its monotonic one starts anywhere. */
export class ProcessClock implements Clock {
  /** How far its wall clock is off. */
  skewMs: number;
  private readonly time: VirtualTime;
  private readonly gate: Gate;
  private readonly bootedAt: number;

  constructor(time: VirtualTime, gate: Gate, skewMs: number, uptimeMs: number) {
    this.time = time;
    this.gate = gate;
    this.skewMs = skewMs;
    this.bootedAt = -uptimeMs;
  }

  now(): number {
    return START + this.time.now + this.skewMs;
  }

  monotonic(): number {
    return this.time.now - this.bootedAt;
  }

  after(ms: number, callback: () => void): () => void {
    let isCancelled = false;
    const cancel = this.time.after(ms, () =>
      this.gate.deliver(() => {
        if (!isCancelled) callback();
      }),
    );
    return () => {
      isCancelled = true;
      cancel();
    };
  }
}
