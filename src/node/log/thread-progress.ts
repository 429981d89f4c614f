/** How far the executions of a thread are: told at once, and then no more often than somebody who watches can read. */
import { MOST_PROGRESS_CHARACTERS, type Progress } from "../../core/log/progress.ts";
import type { Scrubber } from "../scrubber.ts";

/** Between two that are told of one execution. */
const EVERY_MS = 250;

interface Told {
  at: number;
  /** What came too soon after that. */
  next: Progress | null;
  timer: NodeJS.Timeout | null;
}

export class ThreadProgress {
  readonly #send: (key: number, progress: Progress) => void;
  readonly #scrubber: () => Scrubber;
  readonly #told = new Map<number, Told>();

  constructor(send: (key: number, progress: Progress) => void, scrubber: () => Scrubber) {
    this.#send = send;
    this.#scrubber = scrubber;
  }

  /** Throws what a handler can have got wrong. */
  tell(key: number, fraction: number, text = ""): void {
    if (!(typeof fraction === "number" && fraction >= 0 && fraction <= 1)) {
      throw new RangeError(`progress: ${String(fraction)} is not accepted; a number from 0 to 1 is`);
    }
    const shown = this.#scrubber().head(String(text), MOST_PROGRESS_CHARACTERS).toWellFormed();
    const progress = { fraction, text: shown, at: Date.now() };
    const told = this.#told.get(key) ?? { at: Number.NEGATIVE_INFINITY, next: null, timer: null };
    this.#told.set(key, told);
    const leftMs = told.at + EVERY_MS - performance.now();
    if (leftMs <= 0) return this.#tellNow(key, told, progress);
    told.next = progress;
    told.timer ??= setTimeout(() => {
      told.timer = null;
      if (told.next !== null) this.#tellNow(key, told, told.next);
    }, leftMs).unref();
  }

  /** It has ended: what it was at is no news any more. */
  ended(key: number): void {
    if (this.#told.size === 0) return;
    const timer = this.#told.get(key)?.timer ?? null;
    this.#told.delete(key);
    if (timer !== null) clearTimeout(timer);
  }

  #tellNow(key: number, told: Told, progress: Progress): void {
    told.at = performance.now();
    told.next = null;
    this.#send(key, progress);
  }
}
