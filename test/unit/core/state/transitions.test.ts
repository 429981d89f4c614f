import { describe, expect, test } from "vitest";
import { farEnd, type JobRecord, NEVER, STORED_STATUS } from "../../../../src/core/job.ts";
import {
  type Action,
  reschedule,
  type State,
  stateOf,
  transition,
} from "../../../../src/core/state/transitions.ts";
import { NOW, specOf } from "../../../fixtures/job-fixture.ts";
import { IN_STATE } from "./in-each-state.ts";

const { RUNNING, PAUSED } = STORED_STATUS;
/** What each cell is to do. "hold": to PAUSED; "mark": to be held afterwards; "go": back to WAITING. */
const EXPECTED: Readonly<Record<State, Readonly<Record<Action, string>>>> = {
  waiting: { pause: "hold", resume: "keep", cancel: "end", retry: "keep" },
  prepared: { pause: "hold", resume: "keep", cancel: "end", retry: "keep" },
  retrying: { pause: "hold", resume: "keep", cancel: "end", retry: "keep" },
  running: { pause: "mark", resume: "keep", cancel: "abort", retry: "keep" },
  pausing: { pause: "keep", resume: "unmark", cancel: "abort", retry: "keep" },
  paused: { pause: "keep", resume: "go", cancel: "end", retry: "keep" },
  succeeded: { pause: "refuse", resume: "refuse", cancel: "keep", retry: "refuse" },
  failed: { pause: "refuse", resume: "refuse", cancel: "keep", retry: "again" },
  cancelled: { pause: "refuse", resume: "refuse", cancel: "keep", retry: "refuse" },
};

function nameOf(action: Action, record: JobRecord): string {
  const step = transition(action, record, NOW, null);
  if (step.kind !== "change") return step.kind;
  const { status, spec } = step.row;
  if (status === PAUSED) return "hold";
  if (status === RUNNING) return spec.isPausing ? "mark" : "unmark";
  return action === "retry" ? "again" : "go";
}

describe("the transition table", () => {
  for (const [state, record] of Object.entries(IN_STATE) as [State, JobRecord][]) {
    test(`knows a job that is ${state}`, () => {
      expect(stateOf(record, NOW)).toBe(state);
    });
    for (const action of Object.keys(EXPECTED[state]) as Action[]) {
      test(`${action} when ${state}: ${EXPECTED[state][action]}`, () => {
        expect(nameOf(action, record)).toBe(EXPECTED[state][action]);
      });

      const step = transition(action, record, NOW, null);
      if (step.kind !== "change") continue;
      test(`${action} again after ${action} when ${state} changes nothing`, () => {
        expect(transition(action, step.row, NOW, null)).toEqual({ kind: "keep" });
      });
    }
  }

  test("acts on no other occurrence than the one that was named", () => {
    expect(transition("cancel", IN_STATE.waiting, NOW, NOW)).toEqual({ kind: "keep" });
    expect(transition("cancel", IN_STATE.waiting, NOW, NOW + 1000)).toEqual({ kind: "end" });
  });

  test("a job that was paused between two tries goes on with the same occurrence", () => {
    const held = transition("pause", IN_STATE.retrying, NOW, null);
    if (held.kind !== "change") throw new Error("not held");
    expect(held.row).toMatchObject({ status: PAUSED, at: NEVER, attempt: 2, failures: 2 });
    expect(transition("resume", held.row, NOW + 5000, null)).toMatchObject({
      row: { status: STORED_STATUS.WAITING, at: NOW + 5000, scheduledAt: NOW, attempt: 2 },
    });
  });

  test("a failed job that is retried starts afresh", () => {
    expect(transition("retry", IN_STATE.failed, NOW + 7, null)).toMatchObject({
      row: {
        status: STORED_STATUS.WAITING,
        at: NOW + 7,
        scheduledAt: NOW + 7,
        attempt: 0,
        failures: 0,
        lost: 0,
      },
    });
  });
});

describe("a new schedule", () => {
  const due = { scheduledAt: NOW + 60_000, at: NOW + 61_000 };
  const spec = specOf({ name: "new" });

  test("begins afresh, of a job that waits", () => {
    expect(reschedule(IN_STATE.retrying, spec, due)).toMatchObject({
      status: STORED_STATUS.WAITING,
      at: NOW + 61_000,
      scheduledAt: NOW + 60_000,
      attempt: 0,
      failures: 0,
      lost: 0,
      spec,
    });
  });

  test("leaves an attempt that runs to its end, and starts after its occurrence", () => {
    const { running } = IN_STATE;
    expect(reschedule(running, spec, due)).toEqual({ ...running, spec: { ...spec, startsAt: NOW + 60_000 } });
    expect(reschedule(running, spec, { scheduledAt: NOW, at: NOW }).spec.startsAt).toBe(
      running.scheduledAt + 1,
    );
  });

  test("holds back a job that is never due by it", () => {
    const never = reschedule(IN_STATE.waiting, spec, { scheduledAt: NOW + 60_000, at: farEnd(NOW) });
    expect(never).toMatchObject({ status: STORED_STATUS.WAITING, at: NEVER });
  });

  test("stays held back, of a job that is paused", () => {
    expect(reschedule(IN_STATE.paused, spec, due)).toMatchObject({
      status: PAUSED,
      at: NEVER,
      scheduledAt: NOW + 60_000,
    });
  });
});
