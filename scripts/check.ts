/** Runs every `check:*` script of package.json, to the end, and says which of them failed. */
import { spawnSync } from "node:child_process";
import manifest from "../package.json" with { type: "json" };

const failed: string[] = [];
for (const name of Object.keys(manifest.scripts).filter((script) => script.startsWith("check:"))) {
  const startedAt = performance.now();
  const { status } = spawnSync("npm", ["run", "--silent", name], { stdio: ["ignore", "inherit", "inherit"] });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
