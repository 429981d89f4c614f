import { expect, test } from "vitest";
import { callTypeOf } from "../../../src/core/content-type.ts";

test.each([
  ["application/json", "application/json"],
  [" APPLICATION/Json ", "application/json"],
  ['application/json; a="b; charset=latin1"; charset="utf-8"', "application/json"],
  ['application/json; charset="ut\\f-8"', "application/json"],
  ["application/grpc-web-text+proto;q=0.5", "application/grpc-web-text+proto"],
  ["application/connect+json;;", "application/connect+json"],
])("%s is %s", (header, type) => {
  expect(callTypeOf(header)).toEqual({ type });
});

test.each([
  ["", "missing"],
  ["json", '"json" is not known'],
  ["application/json, application/json", '"application/json, application/json" is not known'],
  [
    "application/json; charset=utf-8; Charset=utf-16",
    'charset "utf-16" is not known; utf-8 is accepted, or none',
  ],
])("%s is refused: %s", (header, problem) => {
  expect(callTypeOf(header)).toEqual({ problem });
});

test("a header of any length is refused shortly, and not taken apart", () => {
  const called = callTypeOf(`application/json${";a=1".repeat(100_000)}`);
  expect(called).toEqual({
    problem: expect.stringMatching(/^"application\/json;a=1.{60,80}…" is not known$/),
  });
});
