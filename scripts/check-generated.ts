/** Generates the code of proto/ into a temporary folder and compares it with what is committed: src/gen, docs/api.md. */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What is generated, and by which of Buf's templates. Of docs/, most is written by hand. */
const GENERATED = [
  { template: "buf.gen.yaml", files: "src/gen/**/*.ts" },
  { template: "buf.gen.docs.yaml", files: "docs/api.md" },
];
const folder = mkdtempSync(join(tmpdir(), "elastic-job-gen-"));
try {
  const stale = GENERATED.flatMap(({ template, files }) => {
    const { status } = spawnSync("buf", ["generate", "--template", template, "--output", folder], {
      stdio: "inherit",
    });
    if (status !== 0) throw new Error(`buf generate --template ${template} ended with ${status}`);
    return differences(files);
  });
  for (const path of stale) console.error(`${path}: not what proto/ generates`);
  if (stale.length > 0) {
    console.error('Run "npm run generate" and commit the result.');
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function differences(files: string): string[] {
  const paths = new Set([".", folder].flatMap((root) => globSync(files, { cwd: root })));
  return [...paths].filter((path) => read(path) !== read(join(folder, path))).toSorted();
}

/** null: there is no such file. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
