/** What the edge is given, wherever it runs on Deno: the modules that it imports, and the permissions that it needs. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { VARIABLES } from "../../../src/edge/deno-edge.ts";

const ROOT = join(import.meta.dirname, "../../..");
const textOf = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** Modules that are loaded with this one, by their paths in the repository. */
function loadedBy(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, from = ""] of textOf(path).matchAll(/^(?:import|export) (?!type )[^;"]*?"(\.[^"]+)"/gm)) {
    loadedBy(join(dirname(path), from), found);
  }
  return found;
}

test("the edge's image has every module that the edge loads", () => {
  const [, stage = ""] = /AS edge\n(.*?)\nFROM /s.exec(textOf("Dockerfile")) ?? [];
  const copied = [...stage.matchAll(/^COPY (src\/\S+) /gm)].map(([, path = ""]) => path);
  for (const path of copied) expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
  const loaded = [...loadedBy("src/edge/deno.ts"), ...loadedBy("src/edge/serverless.ts")];
  expect(loaded.length).toBeGreaterThan(20);
  const isCopied = (path: string) => copied.some((copy) => path === copy || path.startsWith(`${copy}/`));
  expect(loaded.filter((path) => !isCopied(path))).toEqual([]);
});

test.each(["Dockerfile", "compose.yaml", "deno.json", "deploy/kubernetes/edge.yaml"])(
  "%s lets the edge read its variables, the files with secrets, and no more",
  (path) => {
    const text = textOf(path);
    const variables = [...text.matchAll(/--allow-env=([\w,]+)/g)].map(([, names = ""]) => names.split(","));
    const folders = [...text.matchAll(/--allow-read(?:=([\w/,-]+))?/g)].map(([, folder]) => folder);
    expect(variables.length).toBeGreaterThan(0);
    for (const names of variables) expect(names).toEqual(VARIABLES);
    expect(folders).toEqual(variables.map(() => "/run/secrets"));
    expect(text).not.toContain("--allow-all");
  },
);
