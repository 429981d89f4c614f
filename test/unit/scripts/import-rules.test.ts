import { expect, test } from "vitest";
import { importProblems } from "../../../scripts/import-rules.ts";

test.each([
  ["a wing that stands above", "src/master/memory/turn.ts", 'import { Mastership } from "../mastership.ts";'],
  ["a wing beside", "src/master/dispatch/dispatcher.ts", 'import type { A } from "../control/control.ts";'],
  ["a room that is not below", "src/store/mysql.ts", 'export { a } from "../master/mastership.ts";'],
  ["an odd way there", "src/core/job.ts", 'import "../core/../rpc/../store/mysql.ts";'],
  ["when it is called", "src/rpc/conversion/job-id.ts", 'await import("../server/serve.ts");'],
  [
    "a name put together",
    "src/rpc/conversion/job-id.ts",
    'const there = "../server/serve.ts"; await import(there);',
  ],
  ["a template", "src/rpc/conversion/job-id.ts", "const s = 1; await import(`../server/${s}.ts`);"],
  ["our own package", "src/client/retry-policy.ts", 'import { createClient } from "elastic-job";'],
  ["a URL", "src/master/memory/turn.ts", 'import "file:///elastic-job/src/rpc/server/serve.ts";'],
  ["an absolute path", "src/master/memory/turn.ts", 'import "/elastic-job/src/rpc/server/serve.ts";'],
  ["what hides an import", "src/master/memory/turn.ts", 'import { createRequire } from "node:module";'],
  ["a package nobody named", "src/node/puller.ts", 'import fc from "fast-check";'],
  ["Node in core", "src/core/job.ts", 'import { readFileSync } from "node:fs";'],
  ["Node in a contract", "src/contract/contract.ts", 'import { inspect } from "node:util";'],
  ["a package in a contract", "src/contract/contract.ts", 'import * as z from "zod";'],
  ["tests", "src/node/puller.ts", 'import { until } from "../../test/fixtures/until.ts";'],
  ["the testing kit", "src/connect-node.ts", 'import { testCluster } from "./testing/index.ts";'],
  ["a test runner in the testing kit", "src/testing/test-cluster.ts", 'import { test } from "vitest";'],
  ["the manifest", "src/cli/list.ts", 'import manifest from "../../package.json" with { type: "json" };'],
])("%s is refused", (_, path, source) => {
  expect(importProblems(path, source)).toEqual([expect.stringMatching(/^src\/.*:1 imports .*: ./)]);
});

test.each([
  ["a room", "src/extras/a.ts"],
  ["a wing", "src/master/extras/a.ts"],
  ["a wing with a name that every object has", "src/master/constructor/a.ts"],
  ["a file on top of a room with wings", "src/master/extra.ts"],
])("%s that the rules do not know is refused", (_, path) => {
  expect(importProblems(path, "export {};")).toEqual([expect.stringContaining("that the rules do not know")]);
});

test("what a room is for is accepted", () => {
  const source =
    'import { Code } from "@connectrpc/connect"; import "node:fs"; import { a } from "../../core/job.ts";';
  expect(importProblems("src/rpc/conversion/job-id.ts", source)).toEqual([]);
});
