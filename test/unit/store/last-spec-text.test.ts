import { expect, test } from "vitest";
import { encodeSpec } from "../../../src/core/spec/spec-text.ts";
import { specText } from "../../../src/store/last-spec-text.ts";
import { specOf } from "../../fixtures/job-fixture.ts";

test("gives each spec its own text, whatever came before", () => {
  const plain = specOf();
  const specs = [
    plain,
    { ...plain, jitterMs: 5 },
    plain,
    { ...plain, payload: "1" },
    { ...plain, handler: "x" },
  ];
  expect(specs.map(specText)).toEqual(specs.map(encodeSpec));
});
