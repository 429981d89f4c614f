import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineContract } from "../../../src/contract/contract.ts";
import { defineJobs, type Handler } from "../../../src/jobs/define-jobs.ts";
import { besideHandlers, contractOf } from "../../../src/jobs/handlers-module.ts";
import { zodContract } from "../../fixtures/contracts.ts";

const schema = z.string();
const greet = () => ({ hello: "", year: 1 });
/** As JavaScript calls it, without types. */
const define = defineContract as (contract: unknown) => unknown;
const jobs = defineJobs as (...given: unknown[]) => unknown;

test.each<[string, unknown, RegExp]>([
  ["none", undefined, /^defineContract: a contract is an object of handlers by their names$/],
  ["a list", [], /^defineContract: a contract is an object/],
  ["an empty one", {}, /^defineContract: the contract names no handlers$/],
  [
    "a name that no job can be added for",
    { "a b": {} },
    /^defineContract: "a b" can't be a handler's name; 1 to 128/,
  ],
  ["runJob", { runJob: {} }, /^defineContract: runJob takes jobs of any handler, and has no contract$/],
  ["a handler", { greet }, /^defineContract: greet must be an object with payload, output or both/],
  ["a schema without its part", { greet: null }, /^defineContract: greet must be an object/],
  [
    "a part that is not known",
    { greet: { input: schema } },
    /^defineContract: greet\.input is not known; payload and output are/,
  ],
  [
    "a JSON Schema",
    { greet: { payload: { type: "object" } } },
    /^defineContract: greet\.payload is no Standard Schema/,
  ],
  [
    "a schema of another version",
    { greet: { output: { "~standard": { version: 2, validate: greet } } } },
    /greet\.output is no/,
  ],
])("a contract is refused by what is wrong with it: %s", (_, contract, message) => {
  expect(() => define(contract)).toThrow(message);
});

test("a contract is what was given", () => {
  const contract = { greet: { payload: schema }, note: {} };
  expect(defineContract(contract)).toBe(contract);
});

describe("defineJobs with a contract", () => {
  test.each<[string, object, RegExp]>([
    [
      "a handler that is missing",
      {},
      /^defineJobs: the contract has "greet", and no handler is given for it$/,
    ],
    [
      "a name that it has not",
      { greet, gret: greet },
      /^defineJobs: "gret" is not in the contract; "greet" is$/,
    ],
    ["what is no function", { greet: 5 }, /^defineJobs: greet is of type number; it must be a function$/],
  ])("refuses %s", (_, handlers, message) => {
    expect(() => jobs(zodContract, handlers)).toThrow(message);
  });

  test("takes a runJob beside it, which is called with the job", () => {
    const runJob = (job: { name: string }) => job.name;
    const made = jobs(zodContract, { greet, runJob }) as { runJob: unknown };
    expect(Object.keys(made)).toEqual(["greet", "runJob"]);
    expect(made.runJob).toBe(runJob);
  });

  test("carries the contract through a copy of the handlers", () => {
    const made = defineJobs(zodContract, { greet });
    const plain: Handler = () => 1;
    expect(contractOf({ ...made, plain })).toEqual(zodContract);
  });

  test("takes schedules, setup and teardown, together or each alone", () => {
    const schedules = { nightly: { handler: "greet", cron: "0 3 * * *" } };
    const life = { setup: () => 1, teardown: () => {} };
    const all = defineJobs(zodContract, { greet }, { schedules, set: "s", ...life });
    expect(besideHandlers(all)).toEqual({ schedules: { schedules, set: "s" }, life });
    expect(besideHandlers(defineJobs({ greet }, life))).toEqual({ schedules: null, life });
    expect(besideHandlers(defineJobs({ greet }, { schedules }))).toEqual({
      schedules: { schedules },
      life: null,
    });
    expect(besideHandlers({ greet })).toEqual({ schedules: null, life: null });
  });

  test.each(["setup", "teardown"])("refuses a %s that is no function", (name) => {
    expect(() => jobs({ greet }, { [name]: 5 })).toThrow(`defineJobs: ${name}: must be a function`);
  });
});
