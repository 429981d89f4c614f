/**
 * `npm test`: brings up the servers, if one of the chosen files needs them, runs Vitest with the
 * arguments given (`npm test -- test/unit`), and ends with the line `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countTests, type VitestReport } from "./count-tests.ts";
import { chosenTestFiles, needServers } from "./test-files.ts";
import { NO_SERVERS, startTestServers, type TestServers } from "./test-servers.ts";

const folder = mkdtempSync(join(tmpdir(), "elastic-job-test-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => interrupted.abort(signal));
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let servers: TestServers;
  try {
    servers = needServers(chosenTestFiles(args)) ? await startTestServers() : NO_SERVERS;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
  try {
    if (interrupted.signal.aborted) return 130;
    const reportPath = join(folder, "report.json");
    const status = await runVitest(args, { ...process.env, ...servers.environment }, reportPath);
    if (interrupted.signal.aborted) return 130;
    return report(reportPath, status);
  } finally {
    await servers.stop();
  }
}

/**
 * Prints the last line, which programs read: always of the same form. The exit code is 0 only when
 * tests ran, all passed, and Vitest itself is content.
 */
function report(reportPath: string, status: number): number {
  let counted: VitestReport;
  try {
    counted = JSON.parse(readFileSync(reportPath, "utf8"));
  } catch {
    console.error("Vitest ended without a report.");
    console.log("0 passed, 0 failed");
    return 1;
  }
  const { passed, failed, skipped } = countTests(counted);
  if (passed + failed === 0) console.error("No tests ran.");
  else if (failed === 0 && status !== 0) console.error("The tests passed, but there were unhandled errors.");
  if (skipped > 0) console.error(`${skipped} skipped, or not reached because a hook failed.`);
  console.log(`${passed} passed, ${failed} failed`);
  return status === 0 && failed === 0 && passed > 0 ? 0 : 1;
}

/** Its exit code. It is a process of its own, so that whatever a test does to it, the servers get stopped. */
function runVitest(args: readonly string[], env: NodeJS.ProcessEnv, reportPath: string): Promise<number> {
  const vitest = join(import.meta.dirname, "../node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`];
  const child = spawn(process.execPath, [vitest, "run", ...reporters, ...args], { env, stdio: "inherit" });
  // A terminal's Ctrl-C reaches the child by itself; a plain kill of this process does not.
  const onAbort = () => child.kill("SIGTERM");
  interrupted.signal.addEventListener("abort", onAbort, { once: true });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
