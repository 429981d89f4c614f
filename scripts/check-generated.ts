/** Generates the code of proto/ into a temporary folder and compares it with src/gen. */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const COMMITTED = "src/gen";
const folder = mkdtempSync(join(tmpdir(), "elastic-job-gen-"));
try {
  const { status } = spawnSync("buf", ["generate", "--output", folder], { stdio: "inherit" });
  if (status !== 0) throw new Error(`buf generate ended with ${status}`);
  const stale = differences(COMMITTED, join(folder, COMMITTED));
  for (const path of stale) console.error(`${COMMITTED}/${path}: not what proto/ generates`);
  if (stale.length > 0) {
    console.error('Run "npm run generate" and commit the result.');
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function differences(left: string, right: string): string[] {
  const paths = new Set([left, right].flatMap((root) => globSync("**/*.ts", { cwd: root })));
  return [...paths].filter((path) => read(join(left, path)) !== read(join(right, path))).toSorted();
}

/** null: there is no such file. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
