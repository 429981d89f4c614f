/**
 * When lines go from a thread to its node: at once after a pause, so that the last one before a handler blocks its thread is
 * not lost; then, while there are many, together, as each message costs more than a line.
 */
import { setImmediate } from "node:timers";

/** A line after so long a pause goes at once, and so often those that have gathered. */
const PAUSE_MS = 1;

export class LinePost<Line> {
  readonly #send: (lines: readonly Line[]) => void;
  #waiting: Line[] = [];
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(send: (lines: readonly Line[]) => void) {
    this.#send = send;
  }

  add(line: Line): void {
    const isFirst = this.#waiting.push(line) === 1;
    if (performance.now() - this.#sentAt >= PAUSE_MS) this.flush();
    else if (isFirst) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting;
    this.#waiting = [];
    this.#send(lines);
    this.#sentAt = performance.now();
  }
}
