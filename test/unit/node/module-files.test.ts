import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { moduleFiles } from "../../../src/node/module-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "module-files-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function filesOf(files: Readonly<Record<string, string>>): string[] {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return [...moduleFiles(join(folder, "jobs.ts"))].map((path) => path.slice(folder.length + 1));
}

test("are what it imports by a path, and what that imports, in all forms, circles too", () => {
  const files = filesOf({
    "jobs.ts": `import a, { type B } from "./a.ts";\nimport './b.mjs'\nexport * from "./c.ts";
      const d = await import("./d.ts"); const e = require( "./e.cjs" ); import { defineJobs } from "elastic-job";
      import fs from "node:fs"; import { long,
        list } from "./a.ts";`,
    "a.ts": 'import jobs from "./jobs.ts"; import deep from "./deep.ts";',
    "d.ts": "this is no { module",
  });
  expect(files.toSorted()).toEqual(["a.ts", "b.mjs", "c.ts", "d.ts", "deep.ts", "e.cjs", "jobs.ts"]);
});

test("are the file alone where it is not there, or imports packages only", () => {
  expect(filesOf({})).toEqual(["jobs.ts"]);
  expect(filesOf({ "jobs.ts": 'import { z } from "zod";' })).toEqual(["jobs.ts"]);
});

test("are no more than 2,000", () => {
  const text = Array.from({ length: 5_000 }, (_, index) => `import "./n${index}.ts";`).join("\n");
  expect(filesOf({ "jobs.ts": text }).length).toBe(2_000);
});
