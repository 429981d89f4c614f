import type { MasterAddress } from "../coordination/cluster-lock.ts";
import type { Clock } from "../core/clock.ts";
import type { Silence } from "../core/readiness/silence.ts";

/** When this node last heard of its master, and what the master says of itself. Reconnecting to the same one resets neither. */
export class HeardMaster {
  private readonly clock: Clock;
  private name = "";
  private heardAt = 0;
  private told: { readonly silence: Silence; readonly at: number } | null = null;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A new one counts as heard: it has just been announced. */
  turnTo(master: MasterAddress): void {
    if (nameOf(master) === this.name) return;
    this.name = nameOf(master);
    this.told = null;
    this.heard();
  }

  /** It has sent something, whatever it was. */
  heard(): void {
    this.heardAt = this.clock.monotonic();
  }

  /** null: it would answer an add. */
  standing(silence: Silence | null): void {
    this.told = silence === null ? null : { silence, at: this.clock.monotonic() };
  }

  /** As it is by now. */
  of(master: MasterAddress): { readonly heardMsAgo: number | null; readonly told: Silence | null } {
    if (nameOf(master) !== this.name) return { heardMsAgo: null, told: null };
    const now = this.clock.monotonic();
    const { told } = this;
    return {
      heardMsAgo: now - this.heardAt,
      told: told === null ? null : { ...told.silence, ms: told.silence.ms + (now - told.at) },
    };
  }
}

function nameOf({ incarnation, epoch }: MasterAddress): string {
  return `${incarnation}/${epoch}`;
}
