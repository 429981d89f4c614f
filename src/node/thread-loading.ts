import type { Clock } from "../core/clock.ts";
import { type Verdict, whyNotReady } from "./thread-verdict.ts";

/** A thread until it takes jobs: in time, or something is wrong with the user's module. */
export class ThreadLoading {
  /** Rejects with what is wrong. */
  readonly ready: Promise<void>;
  private readonly settle = Promise.withResolvers<void>();
  private readonly giveUp: () => void;
  private readonly cancelLimit: () => void;
  private isReady = false;
  private isSettingUp = false;

  constructor(parts: { readonly clock: Clock; readonly limitMs: number; readonly giveUp: () => void }) {
    const { clock, limitMs } = parts;
    this.ready = this.settle.promise;
    this.giveUp = parts.giveUp;
    this.cancelLimit = clock.after(limitMs, () =>
      this.failed(
        this.isSettingUp
          ? `its setup has not ended within ${limitMs} ms`
          : `it has not loaded within ${limitMs} ms; does a loop or a top-level await never end?`,
      ),
    );
  }

  settingUp(): void {
    this.isSettingUp = true;
  }

  loaded(): void {
    this.cancelLimit();
    this.isReady = true;
    this.settle.resolve();
  }

  failed(message: string): void {
    this.cancelLimit();
    this.settle.reject(new Error(message));
    this.giveUp();
  }

  exited(code: number, verdict: Verdict | null): void {
    if (!this.isReady) this.failed(whyNotReady(code, verdict, this.isSettingUp));
  }
}
