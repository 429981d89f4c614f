import { create, fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Problem } from "../../../../src/core/errors.ts";
import { MAX_VALUE_LEVELS } from "../../../../src/core/json/value-json.ts";
import { JobSchema } from "../../../../src/gen/elasticjob/v1/job_pb.ts";
import {
  AddJobsRequestSchema,
  UpdateJobRequestSchema,
} from "../../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { carriedJson, checkJsonText, jsonTextFromValue } from "../../../../src/rpc/conversion/json-value.ts";

const valueFromJsonText = (text: string | null) => carriedJson(text).value;

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
    for (const text of [nested(MAX_VALUE_LEVELS, '{"a":', "}"), nested(MAX_VALUE_LEVELS, "[", "]")]) {
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
    const value = fromJson(ValueSchema, JSON.parse(nested(MAX_VALUE_LEVELS + 1, "[", "]")));
    expect(jsonTextFromValue("payload", value, problems)).toBeNull();
    expect(problems).toEqual([
      {
        field: "payload",
        message:
          "has more than 30 levels of arrays and objects; up to 30 are accepted, and up to 1000 in payloadJson",
      },
    ]);
  });

  test("of an output beyond the limit goes as text, and as nothing else", () => {
    for (const text of [nested(MAX_VALUE_LEVELS + 1, "[", "]"), nested(50_000, "[", "]")]) {
      expect(carriedJson(text)).toEqual({ text });
    }
  });

  test("of text may go deeper", () => {
    const problems: Problem[] = [];
    const text = nested(1_000, "[", "]");
    expect(checkJsonText("payload", text, problems)).toBe(text);
    expect(checkJsonText("payload", nested(1_001, '{"a":', "}"), problems)).toBeNull();
    expect(problems).toEqual([
      {
        field: "payload",
        message: "has more than 1000 levels of arrays and objects; up to 1000 are accepted",
      },
    ]);
  });
});

test("what a Value would change goes as text, and as nothing else", () => {
  for (const text of ["3889108265204450030", '{"a":[-0]}', "[1e400]", "1e-400", String.raw`"\ud83d"`]) {
    expect(carriedJson(text)).toEqual({ text });
    expect(toBinary(JobSchema, create(JobSchema, { payloadJson: text }))).toBeDefined();
  }
});

test("any number comes back as it was, whichever way it goes", () => {
  const numbers = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.bigInt(), fc.integer());
  fc.assert(
    fc.property(numbers, fc.nat(3), (number, levels) => {
      const written = Object.is(number, -0) ? "-0" : String(number);
      const text = nested(levels, "[", "]").replace("1", written);
      const { value, text: carried = jsonTextFromValue("payload", value, []) } = carriedJson(text);
      expect(Number(carried?.replaceAll(/[[\]]/g, ""))).toBe(Number(number));
      if (typeof number === "bigint") expect(BigInt(carried?.replaceAll(/[[\]]/g, "") ?? "")).toBe(number);
    }),
  );
});

test("a -0 of a Value stays one", () => {
  const value = create(ValueSchema, { kind: { case: "numberValue", value: -0 } });
  expect(jsonTextFromValue("payload", fromBinary(ValueSchema, toBinary(ValueSchema, value)), [])).toBe("-0");
});

test("text that is no JSON goes as a string, so that its page can be read", () => {
  expect(carriedJson("[3889108265204450030").value?.kind.case).toBe("stringValue");
  expect(carriedJson("no").value?.kind).toEqual({ case: "stringValue", value: "no" });
  expect(carriedJson(null)).toEqual({});
});

test("a value that is not set, NaN and Infinity are refused by name", () => {
  for (const value of [
    create(ValueSchema),
    create(ValueSchema, { kind: { case: "numberValue", value: Number.NaN } }),
  ]) {
    const problems: Problem[] = [];
    expect(jsonTextFromValue("payload", value, problems)).toBeNull();
    expect(problems).toEqual([{ field: "payload", message: expect.stringContaining("is not JSON") }]);
  }
  const infinite = create(ValueSchema, { kind: { case: "numberValue", value: Number.NEGATIVE_INFINITY } });
  const list = create(ValueSchema, { kind: { case: "listValue", value: { values: [infinite] } } });
  const inside = create(ValueSchema, { kind: { case: "structValue", value: { fields: { a: list } } } });
  const problems: Problem[] = [];
  expect(jsonTextFromValue("payload", inside, problems)).toBeNull();
  const message = "has a number that is too large, at a[0]; those of double precision are accepted";
  expect(problems).toEqual([{ field: "payload", message }]);
});
