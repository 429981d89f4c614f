/** Has virtual time pass: for the test, and for its calls to the cluster. One drive at a time, in their order. */
import type { VirtualTime } from "./virtual-clock.ts";

/** No call takes longer: nodes give up waiting for a master sooner. */
const CALL_LIMIT_MS = 120_000;

export interface TimeDriverParts {
  readonly time: VirtualTime;
  /** Called after each drive, and before an answer. */
  readonly passed: () => Promise<void>;
}

export class TimeDriver {
  readonly #parts: TimeDriverParts;
  #last: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: TimeDriverParts) {
    this.#parts = parts;
  }

  /** Calls what moves the time, after whoever moves it now. */
  async alone<T>(drive: (time: VirtualTime) => Promise<T>): Promise<T> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    await before;
    try {
      if (this.#isStopped) throw new Error("the cluster has been stopped");
      const driven = await drive(this.#parts.time);
      await this.#parts.passed();
      return driven;
    } finally {
      turn.resolve();
    }
  }

  /** Time passes until the call is answered, which as a rule takes none. */
  async answer<T>(call: Promise<T>): Promise<T> {
    const drive = async () => {
      if (await this.#untilSettled(call, CALL_LIMIT_MS)) return call;
      throw new Error(`a call was not answered within ${CALL_LIMIT_MS} ms of the cluster's time`);
    };
    // At once, as whoever moves the time may wait for what the caller does then.
    const answer = await Promise.race([call, drive()]);
    await this.#parts.passed();
    return answer;
  }

  /** What happens now does happen, but no time passes until the message comes: that is the test's to say. */
  message<T>(next: Promise<T>): Promise<T> {
    this.#untilSettled(next, 0).catch(() => undefined);
    return next;
  }

  /** After whoever moves the time now; for good. */
  async stop(last: () => Promise<void>): Promise<void> {
    if (this.#isStopped) return;
    await this.#last;
    this.#isStopped = true;
    await last();
  }

  #untilSettled(call: Promise<unknown>, limitMs: number): Promise<boolean> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    call.then(settle, settle);
    return this.alone((time) => time.runUntil(() => isSettled, limitMs));
  }
}
