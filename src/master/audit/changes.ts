/**
 * Changes that callers ask for, each with a record of its own. The record is stored before the change is made, under the same fence, and
 * completed before it is answered: so no change is without one, whoever dies in between. One that cannot be stored is not made.
 */
import { AuditIds } from "../../core/audit/audit-ids.ts";
import {
  type AuditEnd,
  type AuditRecord,
  MOST_DETAIL_CHARACTERS,
  OK,
} from "../../core/audit/audit-record.ts";
import { ElasticJobError, isError } from "../../core/errors.ts";
import { Retried } from "../../core/log/retried.ts";
import { shorten } from "../../core/short-text.ts";
import type { MasterContext } from "../context.ts";
import type { AuditedChange, ChangeTold } from "../job-api.ts";

const MOST_NODE_CHARACTERS = 200;

export class Changes {
  readonly #context: MasterContext;
  readonly #ids: AuditIds;
  readonly #retried: Retried;

  constructor(context: MasterContext) {
    this.#context = context;
    this.#ids = new AuditIds(context.random);
    this.#retried = new Retried(context, "a change is not made, as its record could not be stored");
  }

  /** `tell`: what the change itself shows of what was done. */
  async make<T>(
    change: AuditedChange,
    make: () => Promise<T> | T,
    tell: (result: T) => ChangeTold,
  ): Promise<T> {
    const { store, epoch, time } = this.#context;
    const record: AuditRecord = {
      at: Math.trunc(time.now()),
      id: this.#ids.next(),
      ...change,
      nodeId: shorten(change.nodeId, MOST_NODE_CHARACTERS),
      firstJobId: null,
      lastJobId: null,
      count: 1,
      detail: shorten(change.detail, MOST_DETAIL_CHARACTERS),
      outcome: "",
    };
    try {
      await store.writeAudit([record], epoch);
      this.#retried.succeeded();
    } catch (error) {
      if (!isError(error, "stale_epoch")) this.#retried.failed(error);
      throw error;
    }
    try {
      const result = await make();
      const { detail = "", addedJobId = null } = tell(result);
      const told = [change.detail, detail].filter((part) => part !== "").join("; ");
      await this.#end(record, {
        detail: shorten(told, MOST_DETAIL_CHARACTERS),
        outcome: OK,
        firstJobId: addedJobId,
        lastJobId: addedJobId,
      });
      return result;
    } catch (error) {
      const { detail, firstJobId, lastJobId } = record;
      await this.#end(record, { detail, outcome: codeOf(error), firstJobId, lastJobId });
      throw error;
    }
  }

  async #end(record: AuditRecord, end: AuditEnd): Promise<void> {
    const { store, logger } = this.#context;
    const { caller, method, jobId, nodeId } = record;
    const about = jobId !== null ? { jobId } : nodeId !== "" ? { node: nodeId } : {};
    const told = { caller: caller.name, address: caller.address, forwardedFor: caller.forwardedFor };
    const line = { ...told, method, ...about, outcome: end.outcome, detail: end.detail };
    logger.info(line, "a caller has asked for a change");
    try {
      await store.endAudit(record, end);
    } catch (error) {
      // The change was made, or was not: its caller is told that, and the record stays as one of which nobody knows.
      logger.warn({ ...line, error }, "what came of a caller's change could not be stored");
    }
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof ElasticJobError)) return "internal";
  return error.code === "stale_epoch" || error.code === "key_taken" ? "unavailable" : error.code;
}
