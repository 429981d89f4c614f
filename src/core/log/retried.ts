/**
 * What fails and is tried again, many times a second maybe, until a server answers. The log has a line for each cause when it begins,
 * then one a minute with how often it has failed, and one when it is over: so an outage of an hour is some dozen lines of each kind.
 * What fails and succeeds by turns makes few, too.
 */
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";

const AGAIN_MS = 60_000;
/** What fails again after it has not for so long is news. */
const QUIET_MS = 10_000;
/** Causes at a time; one that comes on top of them is counted with the first. */
const MOST_CAUSES = 10;

interface Cause {
  toldAt: number;
  /** Failures since. */
  count: number;
}

export class Retried {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #message: string;
  readonly #causes = new Map<string, Cause>();
  /** Since when (monotonic) it has failed each time; null: it has not. */
  #since: number | null = null;
  #failedAt = Number.NEGATIVE_INFINITY;
  #tries = 0;
  /** Whether a line since then says so. */
  #isTold = false;

  /** `message`: what fails, which is also how its lines are found in the log. */
  constructor(parts: { readonly logger: Logger; readonly clock: Clock }, message: string) {
    this.#logger = parts.logger;
    this.#clock = parts.clock;
    this.#message = message;
  }

  /** `about`: what it has failed for this time. */
  failed(error: unknown, about: object = {}): void {
    const now = this.#clock.monotonic();
    if (this.#since === null && now - this.#failedAt >= QUIET_MS) this.#causes.clear();
    this.#since ??= now;
    this.#failedAt = now;
    this.#tries++;
    const cause = this.#causeOf(error);
    cause.count++;
    if (now - cause.toldAt < AGAIN_MS) return;
    const count = cause.count === 1 ? {} : { count: cause.count };
    this.#logger.warn({ ...about, error, ...count }, this.#message);
    this.#isTold = true;
    cause.toldAt = now;
    cause.count = 0;
  }

  succeeded(): void {
    if (this.#since === null) return;
    const seconds = Number(((this.#clock.monotonic() - this.#since) / 1000).toFixed(1));
    if (this.#isTold) this.#logger.info({ seconds, tries: this.#tries }, `over: ${this.#message}`);
    this.#since = null;
    this.#tries = 0;
    this.#isTold = false;
  }

  #causeOf(error: unknown): Cause {
    const text = error instanceof Error ? error.message : String(error);
    // Ports, connections and times are others each time.
    const key = text.replace(/\d+/g, "0");
    const known = this.#causes.get(key);
    if (known !== undefined) return known;
    const [first] = this.#causes.values();
    if (this.#causes.size >= MOST_CAUSES && first !== undefined) return first;
    const cause = { toldAt: Number.NEGATIVE_INFINITY, count: 0 };
    this.#causes.set(key, cause);
    return cause;
  }
}
