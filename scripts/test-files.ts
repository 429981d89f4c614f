/** Which test files a run takes, and whether they need servers: what they import says so, so no list of them can rot. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseCLI } from "vitest/node";

const ROOT = join(import.meta.dirname, "..");
/** The shared servers, and what starts private ones: whoever imports one of these needs the programs, at least. */
const SERVERS = ["shared", "mysql", "redis"].map((name) => join(ROOT, `test/servers/${name}.ts`));
const RELATIVE_IMPORT = /(?:from|import)\s*\(?\s*"(\.[^"]+\.m?ts)"/g;

/** Those whose paths contain one of the filters among Vitest's arguments; all of them when there is none, as with Vitest. */
export function chosenTestFiles(args: readonly string[]): string[] {
  const files = globSync("test/**/*.test.ts", { cwd: ROOT });
  const { filter } = parseCLI(["vitest", "run", ...args]);
  if (filter.length === 0) return files;
  // A filter can end with a line, and can be an absolute path.
  const parts = filter.map((text) => text.replace(/:\d+$/, "").replace(`${ROOT}/`, "").replace(/^\.\//, ""));
  return files.filter((file) => parts.some((part) => file.toLowerCase().includes(part.toLowerCase())));
}

export function needServers(files: readonly string[]): boolean {
  const reached = new Set(files.map((file) => resolve(ROOT, file)));
  // A set goes on to what is added while it is walked.
  for (const file of reached) {
    for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(RELATIVE_IMPORT)) {
      const target = resolve(dirname(file), specifier);
      // No server of the tests is reached through the project's own code, and some imports stand in a text only.
      if (!target.startsWith(join(ROOT, "src/")) && existsSync(target)) reached.add(target);
    }
  }
  return SERVERS.some((server) => reached.has(server));
}
