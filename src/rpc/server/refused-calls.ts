/**
 * Calls that callers' roles did not allow, in the audit and in the log: gathered by caller and method, for a second at first, and twice as long each
 * time while they go on. So a lone try is told at once, and a million of them are a record a minute. The node that refuses them
 * stores them itself: they never reach the master.
 */
import { AuditIds } from "../../core/audit/audit-ids.ts";
import { GatheredCalls } from "../../core/audit/gathered-calls.ts";
import type { Caller } from "../../core/callers/caller.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { Random } from "../../core/random.ts";
import type { JobStore } from "../../store/job-store.ts";

const OUTCOME = "permission_denied";
const SHORTEST_MS = 1_000;
const LONGEST_MS = 60_000;
const MOST_CALLERS = 20;

export interface RefusedCallsParts {
  readonly store: Pick<JobStore, "writeAudit">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class RefusedCalls {
  readonly #parts: RefusedCallsParts;
  readonly #ids: AuditIds;
  readonly #gathered = new GatheredCalls(MOST_CALLERS);
  #gatherMs = SHORTEST_MS;
  /** Monotonic. */
  #toldAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(parts: RefusedCallsParts) {
    this.#parts = parts;
    this.#ids = new AuditIds(parts.random);
  }

  note(caller: Caller, method: string): void {
    const { clock } = this.#parts;
    const refused = { caller, method, outcome: OUTCOME, count: 1, firstJobId: null, lastJobId: null };
    this.#gathered.add(refused);
    if (this.#cancel !== null) return;
    const goesOn = clock.monotonic() - this.#toldAt < this.#gatherMs;
    this.#gatherMs = goesOn ? Math.min(LONGEST_MS, this.#gatherMs * 2) : SHORTEST_MS;
    this.#cancel = clock.after(this.#gatherMs, () => void this.tell());
  }

  /** Stores and logs what was gathered so far. It never rejects. */
  async tell(): Promise<void> {
    const { clock, store, logger } = this.#parts;
    this.#cancel?.();
    this.#cancel = null;
    this.#toldAt = clock.monotonic();
    const at = Math.trunc(clock.now());
    const records = this.#gathered
      .take()
      .map((call) => ({ at, id: this.#ids.next(), jobId: null, nodeId: "", ...call }));
    if (records.length === 0) return;
    for (const { caller, method, count } of records) {
      const { name, address, forwardedFor } = caller;
      logger.warn(
        { caller: name, address, forwardedFor, method, count },
        "a caller's role does not allow this",
      );
    }
    await store.writeAudit(records).catch((error: unknown) => {
      logger.warn({ error, records: records.length }, "refused calls could not be stored in the audit");
    });
  }
}
