/** The columns that a new job's row has in the statement's text are those in which all new jobs are alike. */
import { expect, test } from "vitest";
import type { JobRecord } from "../../../src/core/job.ts";
import { rowValues } from "../../../src/store/column-list.ts";
import type { SqlValue } from "../../../src/store/dialect.ts";
import { JOB_COLUMNS, type JobColumn, readersOf } from "../../../src/store/job-row.ts";
import { NEW_JOB, type NewJobKind, newJobKind, openColumns } from "../../../src/store/new-job.ts";
import { recordOf } from "../../fixtures/job-fixture.ts";

const EPOCH = 9;
const created = { at: 50, scheduledAt: 50, createTime: 40, updateTime: 40 };
const plain = { at: 50, scheduledAt: 50, createTime: 50, updateTime: 50 };
const claimed = { status: 3, claim: 1, attempt: 1, node: 4 } as const;
const EXAMPLES: Readonly<Record<NewJobKind, JobRecord>> = {
  waiting: recordOf(created),
  plainWaiting: recordOf(plain),
  claimed: recordOf({ ...created, ...claimed }),
  plainClaimed: recordOf({ ...plain, ...claimed }),
};

function rowOf(record: JobRecord): Map<JobColumn, SqlValue> {
  const values = rowValues(readersOf(JOB_COLUMNS), [record], EPOCH);
  return new Map(JOB_COLUMNS.map((name, index) => [name, values[index] ?? null]));
}

/** Fields of a record that are read by one column each. */
const FIELDS = {
  status: "status",
  claim: "claim",
  attempt: "attempt",
  failures: "failures",
  lost: "lost",
  revision: "revision",
  node: "node",
  parent_id: "parentId",
  scheduled_at: "scheduledAt",
  ended_at: "endedAt",
  create_time: "createTime",
  update_time: "updateTime",
} as const satisfies Partial<Record<JobColumn, keyof JobRecord>>;

for (const kind of Object.keys(EXAMPLES) as NewJobKind[]) {
  const example = EXAMPLES[kind];
  const fixed = Object.entries(NEW_JOB[kind]) as [JobColumn, string][];

  test(`what the text says of ${kind} jobs is so`, () => {
    expect(newJobKind([example, example])).toBe(kind);
    const row = rowOf(example);
    const said = fixed.map(([name, sql]) => [name, row.get(sql as JobColumn) ?? Number(sql)]);
    expect(fixed.map(([name]) => [name, row.get(name)])).toEqual(said);
  });

  test(`what the text does not say of ${kind} jobs is bound`, () => {
    const other = { ...example, id: example.id + 1, classId: 77 };
    const open = JOB_COLUMNS.filter((name) => NEW_JOB[kind][name] === undefined);
    const values = [example, other].flatMap((record) => open.map((name) => rowOf(record).get(name)));
    expect(rowValues(readersOf(openColumns(kind)), [example, other], EPOCH)).toEqual(values);
  });

  test.each(fixed.filter(([name]) => name in FIELDS))(`a job with another %s is none of ${kind}`, (name) => {
    const field = FIELDS[name as keyof typeof FIELDS];
    const other = { ...example, [field]: 77 };
    expect(newJobKind([example, other])).not.toBe(kind);
  });
}

test("a job of another priority is not plain", () => {
  const { spec } = EXAMPLES.plainWaiting;
  const urgent = { ...EXAMPLES.plainWaiting, spec: { ...spec, priority: 5 } };
  expect(newJobKind([EXAMPLES.plainWaiting, urgent])).toBe("waiting");
});
