import { create, fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Problem } from "../../../../src/core/errors.ts";
import {
  AddJobsRequestSchema,
  UpdateJobRequestSchema,
} from "../../../../src/gen/elasticjob/v1/job_service_pb.ts";
import {
  jsonTextFromValue,
  MAX_NESTING,
  valueFromJsonText,
} from "../../../../src/rpc/conversion/json-value.ts";

function nested(levels: number, open: string, close: string): string {
  return `${open.repeat(levels)}1${close.repeat(levels)}`;
}

test("any JSON value comes back as it was", () => {
  const property = fc.property(fc.jsonValue({ maxDepth: 6 }), (json) => {
    const text = JSON.stringify(json);
    const problems: Problem[] = [];
    const back = jsonTextFromValue("payload", valueFromJsonText(text), problems);
    expect(problems).toEqual([]);
    expect(JSON.parse(back ?? "")).toEqual(JSON.parse(text));
  });
  fc.assert(property);
});

test("names that mean something to JavaScript are names like others", () => {
  const text = '{"__proto__":{"x":1},"constructor":2}';
  expect(jsonTextFromValue("payload", valueFromJsonText(text), [])).toBe(text);
});

test("no value is null, and null is text", () => {
  expect(jsonTextFromValue("payload", undefined, [])).toBeNull();
  expect(valueFromJsonText(null)).toBeUndefined();
  expect(jsonTextFromValue("payload", valueFromJsonText("null"), [])).toBe("null");
});

describe("nesting", () => {
  test("up to the limit is accepted, and can be sent in any of our messages", () => {
    for (const text of [nested(MAX_NESTING, '{"a":', "}"), nested(MAX_NESTING, "[", "]")]) {
      const payload = fromJson(ValueSchema, JSON.parse(text));
      expect(jsonTextFromValue("payload", payload, [])).toBe(text);
      const jobs = toBinary(AddJobsRequestSchema, create(AddJobsRequestSchema, { jobs: [{ payload }] }));
      expect(fromBinary(AddJobsRequestSchema, jobs).jobs).toHaveLength(1);
      const update = toBinary(UpdateJobRequestSchema, create(UpdateJobRequestSchema, { job: { payload } }));
      expect(fromBinary(UpdateJobRequestSchema, update).job?.payload).toEqual(payload);
    }
  });

  test("beyond the limit is refused by name", () => {
    const problems: Problem[] = [];
    const value = fromJson(ValueSchema, JSON.parse(nested(MAX_NESTING + 1, "[", "]")));
    expect(jsonTextFromValue("payload", value, problems)).toBeNull();
    expect(problems).toEqual([
      { field: "payload", message: "has more than 30 levels of arrays and objects; up to 30 are accepted" },
    ]);
  });

  test("of an output beyond the limit is shown as text", () => {
    const text = nested(50_000, "[", "]");
    expect(valueFromJsonText(text)?.kind).toEqual({ case: "stringValue", value: text });
  });
});

test("a value that is not set, NaN and Infinity are refused by name", () => {
  for (const value of [
    create(ValueSchema),
    create(ValueSchema, { kind: { case: "numberValue", value: Number.NaN } }),
    create(ValueSchema, { kind: { case: "numberValue", value: Number.POSITIVE_INFINITY } }),
  ]) {
    const problems: Problem[] = [];
    expect(jsonTextFromValue("payload", value, problems)).toBeNull();
    expect(problems).toEqual([{ field: "payload", message: expect.stringContaining("is not JSON") }]);
  }
});

test("half a surrogate pair does not break the answer that it is part of", () => {
  const value = valueFromJsonText('"\\ud83d"');
  if (!value) throw new Error("expected a value");
  expect(fromBinary(ValueSchema, toBinary(ValueSchema, value)).kind.value).toBe("\ufffd");
});
