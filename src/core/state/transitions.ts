/**
 * What a caller's action does to a job, in every state that it can be in: one table, so that every cell
 * is decided, and can be tested. The step is a value; the master carries it out, guarded by the row as it
 * was read.
 */
import { isEverDue, type JobRecord, NEVER, STORED_STATUS } from "../job.ts";
import { dueAt } from "./misfire.ts";

export type Action = "pause" | "resume" | "cancel" | "retry";

export type State =
  /** Not due yet, in its first try. */
  | "waiting"
  /** Due, and not given out. */
  | "prepared"
  /** Between two tries of an occurrence. */
  | "retrying"
  | "running"
  /** Running, and to be paused when that has ended. */
  | "pausing"
  | "paused"
  | "succeeded"
  | "failed"
  | "cancelled";

export type Step =
  /** It is so already. */
  | { readonly kind: "keep" }
  | { readonly kind: "refuse"; readonly message: string }
  /** The row is to be this. */
  | { readonly kind: "change"; readonly row: JobRecord }
  /** The current occurrence ends with a CANCELLED row, under a claim for nobody. */
  | { readonly kind: "end" }
  /** The running claim ends with a CANCELLED row, and its handler is aborted. */
  | { readonly kind: "abort" };

const STATE_OF = {
  [STORED_STATUS.RUNNING]: "running",
  [STORED_STATUS.PAUSED]: "paused",
  [STORED_STATUS.SUCCEEDED]: "succeeded",
  [STORED_STATUS.FAILED]: "failed",
  [STORED_STATUS.CANCELLED]: "cancelled",
} as const;

export function stateOf(record: JobRecord, now: number): State {
  if (record.status === STORED_STATUS.WAITING) {
    if (record.at <= now) return "prepared";
    return record.attempt > 0 ? "retrying" : "waiting";
  }
  if (record.status === STORED_STATUS.RUNNING && record.spec.isPausing) return "pausing";
  return STATE_OF[record.status];
}

type Cell = (record: JobRecord, now: number) => Step;

const keep: Cell = () => ({ kind: "keep" });
const end: Cell = () => ({ kind: "end" });
const abort: Cell = () => ({ kind: "abort" });

function refuse(why: string): Cell {
  return () => ({ kind: "refuse", message: why });
}

/** From whatever waits to PAUSED. */
const hold: Cell = (record) => ({
  kind: "change",
  row: { ...record, status: STORED_STATUS.PAUSED, at: NEVER, spec: { ...record.spec, isPausing: true } },
});

/** A running attempt is left to end. */
const holdAfterwards: Cell = (record) => ({
  kind: "change",
  row: { ...record, spec: { ...record.spec, isPausing: true } },
});

const goOn: Cell = (record, now) => {
  const { isPausing: _, ...spec } = record.spec;
  // What fell due while it was paused is skipped when it is looked at next; a try that was due is due now.
  const at = record.attempt > 0 ? now : dueAt(record);
  return {
    kind: "change",
    row: { ...record, status: STORED_STATUS.WAITING, at, spec: { ...spec, resumedAt: now } },
  };
};

const goOnAfterwards: Cell = (record) => {
  const { isPausing: _, ...spec } = record.spec;
  return { kind: "change", row: { ...record, spec } };
};

/** A new occurrence, now, with fresh attempts. */
const again: Cell = (record, now) => {
  const { isPausing: _, ...spec } = record.spec;
  return {
    kind: "change",
    row: {
      ...record,
      status: STORED_STATUS.WAITING,
      at: now,
      scheduledAt: now,
      attempt: 0,
      failures: 0,
      lost: 0,
      spec,
    },
  };
};

const ENDED = refuse("the job has ended");

const TRANSITIONS: Readonly<Record<State, Readonly<Record<Action, Cell>>>> = {
  waiting: { pause: hold, resume: keep, cancel: end, retry: keep },
  prepared: { pause: hold, resume: keep, cancel: end, retry: keep },
  retrying: { pause: hold, resume: keep, cancel: end, retry: keep },
  running: { pause: holdAfterwards, resume: keep, cancel: abort, retry: keep },
  pausing: { pause: keep, resume: goOnAfterwards, cancel: abort, retry: keep },
  paused: { pause: keep, resume: goOn, cancel: end, retry: keep },
  succeeded: {
    pause: ENDED,
    resume: ENDED,
    cancel: keep,
    retry: refuse("the job has not failed: it succeeded"),
  },
  failed: { pause: ENDED, resume: ENDED, cancel: keep, retry: again },
  cancelled: {
    pause: ENDED,
    resume: ENDED,
    cancel: keep,
    retry: refuse("the job has not failed: it was cancelled"),
  },
};

/** `scheduledAt`: act only on this occurrence; null: on whichever is the current one. */
export function transition(action: Action, record: JobRecord, now: number, scheduledAt: number | null): Step {
  if (scheduledAt !== null && scheduledAt !== record.scheduledAt) return { kind: "keep" };
  return TRANSITIONS[stateOf(record, now)][action](record, now);
}

/** The row after its schedule was replaced; `due`: the new one's first occurrence. */
export function reschedule(
  before: JobRecord,
  spec: JobRecord["spec"],
  due: { scheduledAt: number; at: number },
): JobRecord {
  if (before.status === STORED_STATUS.RUNNING) {
    // The attempt is left to end first, whatever it belongs to.
    return { ...before, spec: { ...spec, startsAt: Math.max(due.scheduledAt, before.scheduledAt + 1) } };
  }
  const { startsAt: _, resumedAt: __, ...fresh } = spec;
  const isPaused = before.status === STORED_STATUS.PAUSED;
  return {
    ...before,
    spec: fresh,
    status: isPaused ? STORED_STATUS.PAUSED : STORED_STATUS.WAITING,
    at: isPaused || !isEverDue(due.at) ? NEVER : due.at,
    scheduledAt: due.scheduledAt,
    attempt: 0,
    failures: 0,
    lost: 0,
  };
}
