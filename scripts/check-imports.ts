/**
 * Imports point one way: this table is the architecture, and whatever it does not allow is an error.
 * A room is a folder of src/, or a file that stands directly in it.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseSync } from "vite";

/** What each room may import, besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  gen: [],
  store: ["core"],
  coordination: ["core", "gen"],
  master: ["store", "coordination", "core", "gen"],
  // The built-in handlers are loaded by executors, and are written against what a node offers to handlers.
  node: ["jobs", "store", "coordination", "core", "gen"],
  jobs: ["node", "core"],
  // It serves what the master room offers to callers; the node's room is none of its business.
  rpc: ["master", "store", "coordination", "core", "gen"],
  client: ["core", "gen"],
  console: ["client", "core", "gen"],
  edge: ["client", "console", "core", "gen", "config.ts"],
  // It reads Redis URLs with what will use them; that part opens nothing.
  "config.ts": ["config", "core"],
  config: ["coordination", "core"],
  "system-clock.ts": ["core"],
  "app.ts": [
    "rpc",
    "master",
    "node",
    "jobs",
    "store",
    "coordination",
    "core",
    "gen",
    "client",
    "edge",
    "config.ts",
    "system-clock.ts",
  ],
  // The commands that start a process import the composition root; `migrate` opens a store.
  cli: ["client", "edge", "store", "core", "gen", "config.ts", "app.ts", "system-clock.ts"],
  "index.ts": ["node", "jobs", "client", "core", "gen"],
};

/** Packages and built-in modules that a room may use; rooms not named here may use any. */
const ALLOWED_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  core: ["croner"],
};

const problems = globSync("src/**/*.{ts,mts,js,mjs}").toSorted().flatMap(checkFile);
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} imports point the wrong way; scripts/check-imports.ts has the rules.`);
  process.exitCode = 1;
}

function checkFile(path: string): string[] {
  const source = readFileSync(path, "utf8");
  const room = roomOf(path);
  const allowed = ALLOWED[room];
  if (allowed === undefined) return [`${path}:1 ${room} is a room that the rules do not know`];
  return imports(path, source).flatMap(({ specifier, line }) => {
    const rule = violation(path, room, allowed, specifier);
    return rule === null ? [] : [`${path}:${line} imports ${specifier}: ${rule}`];
  });
}

/** The rule that an import breaks; null: none. */
function violation(path: string, room: string, allowed: readonly string[], specifier: string): string | null {
  if (!specifier.startsWith(".")) {
    const packages = ALLOWED_PACKAGES[room];
    if (packages === undefined || packages.includes(specifier)) return null;
    return `${room} may use only the packages ${packages.join(", ")}`;
  }
  const target = normalize(join(dirname(path), specifier));
  if (!target.startsWith("src/")) {
    return target === "package.json" ? null : "src imports nothing from outside src (but package.json)";
  }
  const targetRoom = roomOf(target);
  if (targetRoom === room || allowed.includes(targetRoom)) return null;
  return `${room} may import ${allowed.length === 0 ? "only itself" : allowed.join(", ")}`;
}

function roomOf(path: string): string {
  return path.split("/")[1] ?? path;
}

function imports(path: string, source: string): { specifier: string; line: number }[] {
  const { module, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors.map((error) => error.message).join("; ")}`);
  const found = [
    ...module.staticImports.map((entry) => entry.moduleRequest),
    ...module.staticExports.flatMap((entry) => entry.entries.map((item) => item.moduleRequest)),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => ({
      value: source.slice(start, end).replace(/^["'`]|["'`]$/g, ""),
      start,
    })),
  ];
  return found.flatMap((request) =>
    request === null || request === undefined
      ? []
      : [{ specifier: request.value, line: source.slice(0, request.start).split("\n").length }],
  );
}
