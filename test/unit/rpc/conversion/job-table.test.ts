import { create, fromBinary, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageOf, Templates, tableOf } from "../../../../src/client/encode-table.ts";
import type { AddJobInput } from "../../../../src/client/job-json.ts";
import { isProblems } from "../../../../src/core/spec/job-spec.ts";
import {
  AddJobRequestSchema,
  type JobTable,
  JobTableSchema,
} from "../../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { parseAddRequest } from "../../../../src/rpc/conversion/add-request.ts";
import { rowsOfTable } from "../../../../src/rpc/conversion/job-table.ts";

const NOW = Date.parse("2026-10-10T10:00:00Z");
const LIMITS = { maxPayloadBytes: 500 };

function tableFrom(jobs: readonly AddJobInput[]): JobTable {
  const known = new Templates();
  return tableOf(jobs.map((job) => known.tableJob(job)));
}

function parseAddTable(table: JobTable, ...[now, limits]: [number, typeof LIMITS]) {
  const rows = rowsOfTable(table, now, limits);
  return Array.from({ length: rows.count }, (_, row) => rows.parsed(row));
}

function problemsOf(table: JobTable): string[][] {
  return parseAddTable(table, NOW, LIMITS).map(({ parsed }) =>
    isProblems(parsed) ? parsed.map(({ field, message }) => `${field}: ${message}`) : [],
  );
}

const payloads = fc.option(fc.jsonValue({ depthSize: "large" }) as fc.Arbitrary<JsonValue>, {
  nil: undefined,
});
const templates = fc.constantFrom<Omit<AddJobInput, "payload">>(
  { handler: "echo" },
  { handler: "echo", name: "a name", priority: 7 },
  { handler: "echo", timed: { delay: "10s" }, requirements: { labels: { gpu: "true" } } },
  { handler: "", priority: 1_000 },
  { handler: "echo", daily: { at: "25:00" } },
);

test("jobs as a table mean what they mean as messages, good or bad", () => {
  const job = fc
    .record({ template: templates, payload: payloads })
    .map(({ template, payload }) => ({ ...template, payload }));
  fc.assert(
    fc.property(fc.array(job, { minLength: 1, maxLength: 20 }), (jobs) => {
      const sent = toBinary(JobTableSchema, tableFrom(jobs as AddJobInput[]));
      const asMessages = jobs.map((one) =>
        parseAddRequest(fromJson(AddJobRequestSchema, JSON.parse(JSON.stringify(one))), NOW, LIMITS),
      );
      const asTable = parseAddTable(fromBinary(JobTableSchema, sent), NOW, LIMITS);
      expect(asTable.map(({ parsed }) => parsed)).toEqual(asMessages.map(({ parsed }) => parsed));
    }),
  );
});

test("what jobs have in common is there once, whatever their payloads", () => {
  const table = tableFrom([
    { handler: "a", payload: { n: 1 } },
    { handler: "b" },
    { payload: [2], handler: "a" },
  ]);
  expect(table.templates.map(({ handler }) => handler)).toEqual(["a", "b"]);
  expect(table.template).toEqual([0, 1, 0]);
  expect(table.payload).toEqual(['{"n":1}', "", "[2]"]);
});

test("a job of a table is the same message where tables are not known", () => {
  const job: AddJobInput = { handler: "echo", priority: 3, payload: { a: [null, 1.5, "x"] } };
  const row = new Templates().tableJob(job);
  expect(messageOf(row)).toEqual(fromJson(AddJobRequestSchema, JSON.parse(JSON.stringify(job))));
  expect(messageOf(new Templates().tableJob({ handler: "echo" })).payload).toBeUndefined();
});

test.each([null, undefined, "echo", 1, [{ handler: "echo" }]])("%j is no job", (job) => {
  expect(() => new Templates().tableJob(job as unknown as AddJobInput)).toThrow(/invalid_argument/);
});

describe("a table that another program made", () => {
  const template = create(AddJobRequestSchema, { handler: "echo" });
  const table = (fields: Partial<Pick<JobTable, "templates" | "template" | "payload">>) =>
    create(JobTableSchema, { templates: [template], template: [0, 0], ...fields });

  test("is refused when its lists do not fit each other", () => {
    expect(() => problemsOf(table({ template: [0, 1] }))).toThrow(/table\.template: names template 1, .* 1$/);
    expect(() => problemsOf(table({ payload: ["1"] }))).toThrow(/table\.payload: has 1 entries for 2 jobs/);
    const three = [template, template, template];
    expect(() => problemsOf(table({ templates: three }))).toThrow(
      /table\.templates: has 3 entries for 2 jobs/,
    );
    const own = create(AddJobRequestSchema, { payload: { kind: { case: "boolValue", value: true } } });
    expect(() => problemsOf(table({ templates: [own] }))).toThrow(/table\.templates: has payloads/);
  });

  test("is told by job what is wrong with its payloads", () => {
    const deep = `${"[".repeat(1_001)}${"]".repeat(1_001)}`;
    const texts = [
      "{",
      deep,
      `"${"x".repeat(500)}"`,
      "\ufeff1",
      '{"a": [-1e999]}',
      '{"a":{"b":1,"\\u0062":2}}',
      '["\\ud83d"]',
      "{}",
    ];
    expect(problemsOf(table({ template: texts.map(() => 0), payload: texts }))).toEqual([
      [expect.stringMatching(/^payload: is not JSON/)],
      [expect.stringMatching(/^payload: has more than 1000 levels/)],
      [expect.stringMatching(/^payload: is 502 bytes of JSON; up to 500 /)],
      [expect.stringMatching(/^payload: is not JSON/)],
      [expect.stringMatching(/^payload: has a number that is too large, at a\[0\];/)],
      [expect.stringMatching(/^payload: has a name twice in one object, at a\.b;/)],
      [expect.stringMatching(/^payload: has half of a surrogate pair, at \[0\],/)],
      [],
    ]);
  });

  test("is told all that is wrong with a job at once", () => {
    const bad = create(AddJobRequestSchema, { priority: 101 });
    expect(problemsOf(table({ templates: [bad], template: [0], payload: ["no"] }))).toEqual([
      [
        expect.stringMatching(/^payload: is not JSON/),
        expect.stringMatching(/^handler: is required/),
        expect.stringMatching(/^priority: /),
      ],
    ]);
  });
});
