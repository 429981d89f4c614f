import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { checkValue } from "../../../src/contract/check-value.ts";
import type { StandardSchema } from "../../../src/contract/standard-schema.ts";

const SOON = { limitMs: 20_000 };
const AT_ONCE = { limitMs: 5 };

/** A schema that answers like this. */
function answering(validate: (value: unknown) => unknown): StandardSchema {
  return { "~standard": { version: 1, vendor: "test", validate: validate as never } };
}

describe.each<[string, StandardSchema]>([
  ["Zod", z.object({ items: z.array(z.object({ n: z.number().default(2) })) })],
  ["Valibot", v.object({ items: v.array(v.object({ n: v.optional(v.number(), 2) })) })],
  ["ArkType", type({ items: type({ n: "number = 2" }).array() })],
])("%s", (_, schema) => {
  test("is given what the schema makes of a value that fits", async () => {
    expect(await checkValue(schema, { items: [{}] }, "payload", SOON)).toEqual({
      kind: "fits",
      value: { items: [{ n: 2 }] },
    });
  });

  test("is told the path and the reason of what does not fit", async () => {
    expect(await checkValue(schema, { items: [{ n: 1 }, { n: "x" }] }, "payload", SOON)).toEqual({
      kind: "unfit",
      problem: expect.stringMatching(/^payload\.items\.1\.n: .*number/),
    });
  });
});

test("answers at once where the schema does", () => {
  expect(checkValue(z.string(), "x", "payload", SOON)).toEqual({ kind: "fits", value: "x" });
});

test("waits for a schema that asks somebody", async () => {
  const schema = z.string().refine(async (text) => text === "known", "nobody knows it");
  expect(await checkValue(schema, "known", "payload", SOON)).toEqual({ kind: "fits", value: "known" });
  expect(await checkValue(schema, "other", "payload", SOON)).toEqual({
    kind: "unfit",
    problem: "payload: nobody knows it",
  });
});

test("tells no more than five things, and no path at length", () => {
  const checked = checkValue(
    answering(() => ({
      issues: Array.from({ length: 8 }, () => ({ message: "wrong", path: ["a".repeat(1_000)] })),
    })),
    1,
    "output",
    SOON,
  );
  expect(checked).toMatchObject({ kind: "unfit", problem: expect.stringMatching(/; and 3 more$/) });
  expect(JSON.stringify(checked).length).toBeLessThan(1_500);
});

test("takes keys of any kind, and paths of objects", () => {
  const issues = [{ message: "wrong", path: [{ key: "a" }, 0, Symbol("s")] }];
  expect(
    checkValue(
      answering(() => ({ issues })),
      1,
      "payload",
      SOON,
    ),
  ).toEqual({
    kind: "unfit",
    problem: "payload.a.0.Symbol(s): wrong",
  });
});

describe("a schema that does not do its part is broken, whatever it does:", () => {
  const never = new Promise(() => {});
  const failing = new TypeError("no such table");
  test.each<[string, () => unknown, string]>([
    [
      "throws",
      () => {
        throw failing;
      },
      "the schema of payload threw TypeError: no such table",
    ],
    [
      "throws what is no error",
      () => {
        throw "no";
      },
      "the schema of payload threw what is not an Error",
    ],
    ["rejects", () => Promise.reject(failing), "the schema of payload threw TypeError: no such table"],
    ["never answers", () => never, "the schema of payload has not answered within 5 ms"],
    ["answers nothing", () => undefined, "the schema of payload has answered what is no answer of a schema"],
    [
      "answers nothing later",
      async () => null,
      "the schema of payload has answered what is no answer of a schema",
    ],
    [
      "has issues that are none",
      () => ({ issues: 5 }),
      "the schema of payload has answered what is no answer of a schema",
    ],
    [
      "has issues with odd paths",
      () => ({ issues: [{ path: 5, message: "" }] }),
      "the schema of payload has answered what is no answer of a schema",
    ],
  ])("%s", async (_, validate, problem) => {
    expect(await checkValue(answering(validate), 1, "payload", AT_ONCE)).toMatchObject({
      kind: "broken",
      problem,
    });
  });

  test("an abort ends the wait, before it and during it", async () => {
    const stop = new AbortController();
    const limits = { limitMs: 20_000, signal: () => stop.signal };
    const checked = checkValue(
      answering(() => never),
      1,
      "payload",
      limits,
    );
    stop.abort("enough");
    const broken = {
      kind: "broken",
      problem: "the schema of payload had not answered when it was aborted",
      cause: "enough",
    };
    expect(await checked).toEqual(broken);
    expect(
      await checkValue(
        answering(() => never),
        1,
        "payload",
        limits,
      ),
    ).toEqual(broken);
  });
});
