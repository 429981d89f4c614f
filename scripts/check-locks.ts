/**
 * Lets npm itself judge whether `npm ci` would install from each lock file. Without the network: a lock that is in
 * step says all that is needed.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDERS = [".", "bench"];
const ROOT = fileURLToPath(new URL("..", import.meta.url));

for (const folder of FOLDERS) {
  // The level is said, as `npm run -s` hands its silence down.
  const options = [
    "--dry-run",
    "--offline",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const { status, stdout, stderr, error } = spawnSync("npm", ["ci", ...options], {
    cwd: join(ROOT, folder),
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  if (status === 0) continue;
  console.error(`${join(folder, "package-lock.json")} is out of step with its package.json:`);
  console.error(`${stdout}${stderr}`.split("\nnpm error Clean install a project")[0]?.trim());
  console.error(`Run "npm install --package-lock-only" in ${join(folder, ".")} and commit the result.`);
  process.exitCode = 1;
}
