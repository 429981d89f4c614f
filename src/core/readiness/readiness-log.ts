import type { Logger } from "../logger.ts";
import type { WhyNotReady } from "./why-not-ready.ts";

/** A failover that is over by then is told by the election. */
const TOLD_AFTER_MS = 1_000;

/** Says in the log when this process stops answering adds, why, and when it answers them again. `tick` looks. */
export class ReadinessLog {
  private readonly whyNotReady: WhyNotReady;
  private readonly logger: Logger;
  /** Null: it is ready. */
  private since: number | null = null;
  private isTold = false;

  constructor(whyNotReady: WhyNotReady, logger: Logger) {
    this.whyNotReady = whyNotReady;
    this.logger = logger;
  }

  /** `now`: monotonic. */
  tick(now: number): void {
    const why = this.whyNotReady();
    if (why === null) {
      if (this.isTold) {
        const seconds = ((now - (this.since ?? now)) / 1000).toFixed(1);
        this.logger.info({}, `ready again, after ${seconds} s`);
      }
      this.since = null;
      this.isTold = false;
      return;
    }
    this.since ??= now;
    if (this.isTold || now - this.since < TOLD_AFTER_MS) return;
    this.isTold = true;
    this.logger.warn({}, `not ready: ${why}`);
  }
}
