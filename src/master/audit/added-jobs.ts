/**
 * What callers add, at full speed: gathered by caller for a second, and stored as one row for each in one statement. The rows are not fenced, as
 * the jobs are there whoever is master by then; so a master that has been deposed stores them all the same. A process that
 * dies takes the last second of them along.
 */
import { AuditIds } from "../../core/audit/audit-ids.ts";
import { type AuditRecord, OK } from "../../core/audit/audit-record.ts";
import { GatheredCalls } from "../../core/audit/gathered-calls.ts";
import type { Caller } from "../../core/callers/caller.ts";
import { ElasticJobError } from "../../core/errors.ts";
import { Retried } from "../../core/log/retried.ts";
import type { MasterContext } from "../context.ts";
import type { AddItem, AddOutcome } from "../job-api.ts";

/** Adds of all methods: on their way to the master they become calls of this one. */
const METHOD = "AddJobs";
const GATHERED_FOR_MS = 1_000;
/** Callers of a second that have a row each. */
const MOST_CALLERS = 100;
/** Rows that wait for the database to take them. */
const MOST_WAITING = 1_000;
const MOST_HANDLERS = 6;

export class AddedJobs {
  readonly #context: MasterContext;
  readonly #ids: AuditIds;
  readonly #retried: Retried;
  readonly #gathered = new GatheredCalls(MOST_CALLERS);
  #waiting: AuditRecord[] = [];
  #isTimed = false;
  #writes: Promise<void> = Promise.resolve();

  constructor(context: MasterContext) {
    this.#context = context;
    this.#ids = new AuditIds(context.random);
    this.#retried = new Retried(context, "could not store who has added what; trying again");
  }

  /** Of the jobs of a call, those that it has added. */
  note(caller: Caller, items: readonly AddItem[], outcomes: readonly AddOutcome[]): void {
    let count = 0;
    let firstJobId = Number.MAX_SAFE_INTEGER;
    let lastJobId = 0;
    let handler = "";
    const handlers = new Set<string>();
    // No iterator: this is walked for every job that is added.
    for (let index = 0; index < outcomes.length; index++) {
      const outcome = outcomes[index];
      if (outcome === undefined || outcome instanceof ElasticJobError || !outcome.created) continue;
      count++;
      firstJobId = Math.min(firstJobId, outcome.jobId);
      lastJobId = Math.max(lastJobId, outcome.jobId);
      const spec = items[index]?.spec;
      // Most calls are for one handler.
      if (spec === undefined || spec instanceof ElasticJobError || spec.handler === handler) continue;
      handler = spec.handler;
      if (handlers.size < MOST_HANDLERS) handlers.add(handler);
    }
    if (count === 0) return;
    this.#gathered.add({ caller, method: METHOD, outcome: OK, count, firstJobId, lastJobId }, handlers);
    this.#flushLater();
  }

  /** Stores what was gathered so far. It never rejects. */
  flush(): Promise<void> {
    this.#writes = this.#writes.then(() => this.#write());
    return this.#writes;
  }

  #flushLater(): void {
    const { ended, clock } = this.#context;
    if (ended.aborted) void this.flush();
    if (this.#isTimed || ended.aborted) return;
    this.#isTimed = true;
    clock.after(GATHERED_FOR_MS, () => {
      this.#isTimed = false;
      void this.flush();
    });
  }

  async #write(): Promise<void> {
    const { store, time, ended, logger } = this.#context;
    const at = Math.trunc(time.now());
    for (const call of this.#gathered.take()) {
      this.#waiting.push({ at, id: this.#ids.next(), jobId: null, nodeId: "", ...call });
    }
    if (this.#waiting.length === 0) return;
    const records = this.#waiting;
    this.#waiting = [];
    try {
      await store.writeAudit(records);
      this.#retried.succeeded();
    } catch (error) {
      if (!ended.aborted) this.#retried.failed(error);
      const kept = ended.aborted ? [] : records.slice(-MOST_WAITING);
      for (const record of records.slice(0, records.length - kept.length)) {
        logger.warn({ ...record, error }, "what a caller has added could not be stored in the audit");
      }
      this.#waiting = kept;
      if (kept.length > 0) this.#flushLater();
    }
  }
}
