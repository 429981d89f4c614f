/** Holds docs/states.md to what the code does: each cell of its tables, and each arrow of its drawing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type JobRecord, OUTCOME, type Outcome, STORED_STATUS } from "../../../../src/core/job.ts";
import { project } from "../../../../src/core/state/ending.ts";
import { type Action, type State, stateOf, transition } from "../../../../src/core/state/transitions.ts";
import { NOW } from "../../../fixtures/job-fixture.ts";
import { IN_STATE } from "./in-each-state.ts";

const DOC = readFileSync(join(import.meta.dirname, "../../../../docs/states.md"), "utf8");
const STATES = Object.keys(IN_STATE) as State[];
const ACTIONS: readonly Action[] = ["pause", "resume", "cancel", "retry"];
const WORD = { keep: "nothing", refuse: "refused", end: "ends", abort: "aborts" } as const;
/** What a node writes without a `retryAt`, always. */
const NEVER_RETRIED = new Set<Outcome>([OUTCOME.SUCCEEDED, OUTCOME.CANCELLED, OUTCOME.SKIPPED]);
const NEXT = { scheduledAt: NOW + 60_000, at: NOW + 60_000 };

/** The rows of the table whose first column has this title, without the title. */
function tableOf(firstTitle: string): string[][] {
  const lines = DOC.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${firstTitle} |`));
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** What the job may look like: one that is paused may have an occurrence that is due, or one that is not. */
function recordsIn(state: State): JobRecord[] {
  const record = IN_STATE[state];
  return state === "paused" ? [{ ...record, scheduledAt: NOW + 1000 }, record] : [record];
}

function resultsOf(action: Action, state: State): string[] {
  return recordsIn(state).map((record) => {
    const step = transition(action, record, NOW, null);
    return step.kind === "change" ? stateOf(step.row, NOW) : WORD[step.kind];
  });
}

function stateAfter(outcome: Outcome, retryAt: number | null, next: typeof NEXT | null): State {
  const claimed = IN_STATE.running;
  const row = { outcome, retryAt, reason: "", endTime: NOW, node: 3 };
  return stateOf({ ...claimed, ...project(claimed, row, next) }, NOW);
}

test("the table of actions says what each does in each state", () => {
  const expected = STATES.map((state) => [
    state,
    ...ACTIONS.map((action) => [...new Set(resultsOf(action, state))].join(" or ")),
  ]);
  expect(tableOf("state")).toEqual(expected);
});

test("the table of outcomes says what each makes of its job", () => {
  const expected = Object.entries(OUTCOME).map(([name, outcome]) => [
    name,
    NEVER_RETRIED.has(outcome) ? "never" : stateAfter(outcome, NOW + 500, NEXT),
    stateAfter(outcome, null, NEXT),
    stateAfter(outcome, null, null),
  ]);
  expect(tableOf("outcome")).toEqual(expected);
});

test("the drawing has an arrow for each change of state, and no other", () => {
  const arrows = new Set<string>();
  for (const from of STATES) {
    for (const action of ACTIONS) {
      for (const to of resultsOf(action, from)) {
        if (to in IN_STATE) arrows.add(`${from} --> ${to}: ${action}`);
      }
    }
  }
  const drawn = [...DOC.matchAll(/^ {2}(\w+ --> \w+: (?:pause|resume|cancel|retry))$/gm)].map(
    ([, arrow]) => arrow,
  );
  expect(drawn.toSorted()).toEqual([...arrows].toSorted());

  const ends = new Set<string>();
  for (const outcome of Object.values(OUTCOME)) {
    if (!NEVER_RETRIED.has(outcome)) ends.add(stateAfter(outcome, NOW + 500, NEXT));
    ends.add(stateAfter(outcome, null, NEXT)).add(stateAfter(outcome, null, null));
  }
  const drawnEnds = [...DOC.matchAll(/^ {2}running --> (\w+): (?!pause)/gm)].map(([, state]) => state);
  expect(drawnEnds.toSorted()).toEqual([...ends].toSorted());
});

test("the drawing has each state that there is, and the time makes what it says", () => {
  const named = new Set([...DOC.matchAll(/^ {2}(\w+) --> /gm)].map(([, state]) => state));
  expect([...named].toSorted()).toEqual(STATES.toSorted());
  for (const from of ["waiting", "retrying"] as const) {
    expect(stateOf(IN_STATE[from], IN_STATE[from].at)).toBe("prepared");
  }
  for (const status of Object.keys(STORED_STATUS)) expect(DOC).toContain(status);
});
