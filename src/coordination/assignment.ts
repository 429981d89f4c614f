/**
 * The claims that the master gives to a node, as objects here and as a table on the wire: a message for each
 * claim would cost both sides several times as much. The master makes them in `master/nodes/make-assignment.ts`.
 */
import type { Assign } from "../gen/elasticjob/v1/node_service_pb.ts";
import { column, TextColumns } from "./columns.ts";

/** A claim, with all that the node needs to run it and to write how it ended. Times in epoch milliseconds. */
export interface Assignment {
  readonly jobId: number;
  readonly claim: number;
  /** The job's revision when it was claimed. */
  readonly revision: number;
  /** Which try of the occurrence this is. */
  readonly attempt: number;
  /** Failed tries before this one. */
  readonly failures: number;
  /** Losses in a row before this one. */
  readonly lost: number;
  readonly name: string;
  readonly handler: string;
  /** JSON text; empty: none. */
  readonly payload: string;
  /** The occurrence. */
  readonly scheduledAt: number;
  /** How long the attempt may take; 0: no limit. */
  readonly timeoutMs: number;
  readonly slots: number;
  /** The occurrence after this one; null: there is none. */
  readonly nextScheduledAt: number | null;
  /** When that is due: later than its time by the job's jitter. */
  readonly nextDueAt: number;
  /** A retry later than this is not worth starting; null: however late. */
  readonly lastRetryAt: number | null;
  /** How long to wait after a failure; null: no more attempts. */
  readonly retryDelayMs: number | null;
  /** Why this node was chosen. */
  readonly placement: string;
  /** When it is due, in cluster time: not to be begun before; 0: at once. */
  readonly startAt: number;
}

/** Stands for null. */
const NONE = -1;

export function assignMessage(rows: readonly Assignment[]): Assign {
  const texts = new TextColumns();
  return {
    $typeName: "elasticjob.v1.Assign",
    jobId: rows.map(({ jobId }) => jobId),
    claim: rows.map(({ claim }) => claim),
    revision: rows.map(({ revision }) => revision),
    attempt: column(rows, ({ attempt }) => attempt, 1),
    failures: column(rows, ({ failures }) => failures, 0),
    lost: column(rows, ({ lost }) => lost, 0),
    name: column(rows, ({ name }) => texts.placeOf(name), 0),
    handler: column(rows, ({ handler }) => texts.placeOf(handler), 0),
    payload: column(rows, ({ payload }) => payload, ""),
    scheduledAt: rows.map(({ scheduledAt }) => scheduledAt),
    timeoutMs: column(rows, ({ timeoutMs }) => timeoutMs, 0),
    slots: column(rows, ({ slots }) => slots, 1),
    nextScheduledAt: column(rows, ({ nextScheduledAt }) => nextScheduledAt ?? NONE, NONE),
    nextDueAt: column(rows, ({ nextDueAt }) => nextDueAt, 0),
    lastRetryAt: column(rows, ({ lastRetryAt }) => lastRetryAt ?? NONE, NONE),
    retryDelayMs: column(rows, ({ retryDelayMs }) => retryDelayMs ?? NONE, NONE),
    placement: column(rows, ({ placement }) => texts.placeOf(placement), 0),
    startAt: column(rows, ({ startAt }) => startAt, 0),
    text: texts.all,
  };
}

export function assignmentsOf(table: Assign): Assignment[] {
  const textAt = (place = 0) => table.text[place] ?? "";
  return table.jobId.map((jobId, row) => ({
    jobId,
    claim: table.claim[row] ?? 0,
    revision: table.revision[row] ?? 0,
    attempt: table.attempt[row] ?? 1,
    failures: table.failures[row] ?? 0,
    lost: table.lost[row] ?? 0,
    name: textAt(table.name[row]),
    handler: textAt(table.handler[row]),
    payload: table.payload[row] ?? "",
    scheduledAt: table.scheduledAt[row] ?? 0,
    timeoutMs: table.timeoutMs[row] ?? 0,
    slots: table.slots[row] ?? 1,
    nextScheduledAt: orNull(table.nextScheduledAt[row]),
    nextDueAt: table.nextDueAt[row] ?? 0,
    lastRetryAt: orNull(table.lastRetryAt[row]),
    retryDelayMs: orNull(table.retryDelayMs[row]),
    placement: textAt(table.placement[row]),
    startAt: table.startAt[row] ?? 0,
  }));
}

function orNull(value = NONE): number | null {
  return value === NONE ? null : value;
}
