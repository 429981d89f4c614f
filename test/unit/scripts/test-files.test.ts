import { expect, test } from "vitest";
import { chosenTestFiles, needServers } from "../../../scripts/test-files.ts";

const need = (...args: string[]) => needServers(chosenTestFiles(args));

test("no unit test and no simulation needs a server", () => {
  expect(need("test/unit")).toBe(false);
  expect(need("test/unit", "test/simulation")).toBe(false);
});

test("all tests together need them, and so does each choice with one that does", () => {
  expect(need()).toBe(true);
  expect(need("test/unit", "test/conformance/store/jobs")).toBe(true);
  expect(need("test/faults/kills.test.ts:12")).toBe(true);
});

test("what an option is given is no filter", () => {
  expect(need("-t", "unit")).toBe(true);
  expect(need("test/unit", "-t", "faults")).toBe(false);
});

test("a filter is a part of a path, whatever its case", () => {
  expect(chosenTestFiles(["unit/Scripts/Test-"])).toEqual(["test/unit/scripts/test-files.test.ts"]);
  expect(chosenTestFiles(["no such file"])).toEqual([]);
});
