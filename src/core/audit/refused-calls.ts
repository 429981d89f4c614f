/**
 * Calls that callers' roles did not allow: gathered by caller and method, for a second at first, and twice as long each time while they
 * go on. So a lone try is told at once, and a million of them are told once a minute.
 */
import type { Caller } from "../callers/caller.ts";
import type { Clock } from "../clock.ts";
import { type GatheredCall, GatheredCalls } from "./gathered-calls.ts";

const OUTCOME = "permission_denied";
const SHORTEST_MS = 1_000;
const LONGEST_MS = 60_000;
const MOST_CALLERS = 20;

export class RefusedCalls {
  readonly #clock: Clock;
  readonly #tell: (calls: readonly GatheredCall[]) => void;
  readonly #gathered = new GatheredCalls(MOST_CALLERS);
  #gatherMs = SHORTEST_MS;
  /** Monotonic. */
  #toldAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, tell: (calls: readonly GatheredCall[]) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  note(caller: Caller, method: string): void {
    this.#gathered.add({ caller, method, outcome: OUTCOME, count: 1, firstJobId: null, lastJobId: null });
    if (this.#cancel !== null) return;
    const goesOn = this.#clock.monotonic() - this.#toldAt < this.#gatherMs;
    this.#gatherMs = goesOn ? Math.min(LONGEST_MS, this.#gatherMs * 2) : SHORTEST_MS;
    this.#cancel = this.#clock.after(this.#gatherMs, () => this.tell());
  }

  /** Tells what was gathered so far, if anything. */
  tell(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#toldAt = this.#clock.monotonic();
    const calls = this.#gathered.take();
    if (calls.length > 0) this.#tell(calls);
  }
}

/** As a log line has it. */
export function refusedLine({ caller, method, count }: GatheredCall): object {
  return { caller: caller.name, address: caller.address, forwardedFor: caller.forwardedFor, method, count };
}

export const NOT_ALLOWED = "a caller's role does not allow this";
