import type { ClusterLock } from "../../coordination/cluster-lock.ts";
import { type Clock, sleep } from "../../core/clock.ts";
import type { Silence } from "../../core/readiness/silence.ts";
import { masterSilence, whyNobodyIsMaster } from "../../core/readiness/why-not-ready.ts";
import type { JobStore } from "../../store/job-store.ts";

const LOOK_EVERY_MS = 250;
/** A database that has not been written to for so long is asked whether it would take a write. */
const QUIET_MS = 1_000;

/** The servers without which nobody is master: whether they answer, which counts as answered or not by time alone. */
export class NeededServers {
  private readonly parts: {
    readonly lock: ClusterLock;
    readonly store: JobStore;
    readonly clock: Clock;
    readonly settings: { readonly lockTtlMs: number };
  };
  /** What was last seen to be in the way of there being a master. */
  vacancy = "this node has only just started";
  private isProbing = false;
  private isWatching = false;

  constructor(parts: NeededServers["parts"]) {
    this.parts = parts;
  }

  /** Keeps asking the database where nothing else does, until the signal aborts. `isNeeded`: whether anybody wants to know. */
  async watch(isNeeded: () => boolean, signal: AbortSignal): Promise<void> {
    this.isWatching = true;
    while (!signal.aborted) {
      if (isNeeded()) this.look();
      await sleep(this.parts.clock, LOOK_EVERY_MS, signal);
    }
  }

  /** One probe at a time: where nobody answers they must not pile up. */
  look(): void {
    const { store } = this.parts;
    if (this.isProbing || store.silence().ms < QUIET_MS) return;
    this.isProbing = true;
    void store.probe().finally(() => {
      this.isProbing = false;
    });
  }

  /** What keeps a master from answering adds whose trust ends then (monotonic); null: it answers them. */
  silence(trustedUntil: number): Silence | null {
    const { lock, store, clock, settings } = this.parts;
    return masterSilence({
      lock: lock.silence(),
      store: store.silence(),
      lockTtlMs: settings.lockTtlMs,
      trustEndsInMs: trustedUntil - clock.monotonic(),
    });
  }

  whyNobodyIsMaster(): string {
    const { lock, store } = this.parts;
    // Until then it is asked for nothing, and a process waits for its database.
    const ofLock = this.isWatching ? lock.silence() : { ...lock.silence(), ms: 0 };
    return whyNobodyIsMaster({ lock: ofLock, store: store.silence(), vacancy: this.vacancy });
  }
}
