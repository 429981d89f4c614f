import * as v from "valibot";
import { expect, test } from "vitest";
import * as z from "zod";
import { defineContract } from "../../../src/contract/contract.ts";
import { jsonSchemasOf, MOST_SCHEMA_BYTES, MOST_TOTAL_BYTES } from "../../../src/contract/json-schemas.ts";
import type { StandardSchema } from "../../../src/contract/standard-schema.ts";
import { CONTRACTS } from "../../fixtures/contracts.ts";

test.each(Object.entries(CONTRACTS))(
  "%s makes JSON Schemas of what is given and what is read",
  (_, contract) => {
    const { schemas, leftOut } = jsonSchemasOf(contract);
    expect(leftOut).toEqual([]);
    const [greet, ...others] = schemas;
    expect(others).toEqual([]);
    expect(greet?.handler).toBe("greet");
    const payload = JSON.parse(greet?.payload ?? "");
    expect(payload).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { name: { type: "string", minLength: 1 }, times: { type: "number" } },
    });
    // What has a default may be left out.
    expect(payload.required).not.toContain("times");
    expect(JSON.parse(greet?.output ?? "")).toMatchObject({
      properties: { hello: { type: "string" }, year: { type: "number" } },
    });
  },
);

test("a library that makes none leaves it out, and so does a handler without schemas", () => {
  const contract = defineContract({ one: { payload: v.object({ n: v.number() }) }, two: {} });
  expect(jsonSchemasOf(contract)).toEqual({ schemas: [], leftOut: [] });
});

test("what the library's older method makes is taken", () => {
  const schema: StandardSchema & { toJSONSchema: (given: { io: string }) => object } = {
    "~standard": { version: 1, vendor: "old", validate: (value) => ({ value }) },
    toJSONSchema: ({ io }) => ({ title: io }),
  };
  expect(jsonSchemasOf({ one: { payload: schema, output: schema } }).schemas).toEqual([
    { handler: "one", payload: '{"title":"input"}', output: '{"title":"output"}' },
  ]);
});

test("one that is too large is left out and named, and its handler keeps the other", () => {
  const large = z.enum(Array.from({ length: 5_000 }, (_, index) => `value-number-${index}`));
  const { schemas, leftOut } = jsonSchemasOf({ one: { payload: large, output: z.string() } });
  expect(schemas).toEqual([{ handler: "one", payload: "", output: expect.stringContaining("string") }]);
  expect(leftOut).toEqual([expect.stringMatching(/^one\.payload \(\d{5,6} bytes\)$/)]);
});

test("in all they have a bound, beyond which the rest is left out", () => {
  const size = MOST_SCHEMA_BYTES - 10_000;
  const text = z.string().describe("x".repeat(size));
  const names = Array.from({ length: 100 }, (_, index) => `handler-${String(index).padStart(3, "0")}`);
  const { schemas, leftOut } = jsonSchemasOf(
    Object.fromEntries(names.map((name) => [name, { payload: text }])),
  );
  const bytes = schemas.reduce((sum, { payload }) => sum + payload.length, 0);
  expect(bytes).toBeLessThanOrEqual(MOST_TOTAL_BYTES);
  expect(bytes).toBeGreaterThan(MOST_TOTAL_BYTES - 2 * MOST_SCHEMA_BYTES);
  expect(schemas.length + leftOut.length).toBe(100);
});
