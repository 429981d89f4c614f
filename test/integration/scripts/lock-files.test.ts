import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPTS = fileURLToPath(new URL("../../../scripts", import.meta.url));
const OUT_OF_STEP = /Missing: left-pad@\S* from lock file/;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "locks-"));
  await Promise.all(["scripts", "bench"].map((folder) => mkdir(join(root, folder))));
});
afterEach(() => rm(root, { recursive: true }));

/** A folder whose manifest asks for what its lock does not know, or is in step. */
async function project(folder: string, isInStep: boolean) {
  const optionalDependencies = isInStep ? {} : { "left-pad": "1.3.0" };
  const manifest = { name: "x", type: "module", version: "1.0.0", optionalDependencies };
  const lock = {
    name: "x",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: { "": { name: "x" } },
  };
  await writeFile(join(root, folder, "package.json"), JSON.stringify(manifest));
  await writeFile(join(root, folder, "package-lock.json"), JSON.stringify(lock));
}

/** Runs a script as `npm run -s` does: its silence is handed down in the environment. */
async function run(script: string, ...args: string[]) {
  await copyFile(join(SCRIPTS, script), join(root, "scripts", script));
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    npm_config_loglevel: "silent",
    npm_config_offline: "true",
  };
  delete env["npm_execpath"];
  try {
    const { stderr } = await promisify(execFile)(process.execPath, [join(root, "scripts", script), ...args], {
      env,
    });
    return { isOk: true, stderr };
  } catch (error) {
    return { isOk: false, stderr: error instanceof Error && "stderr" in error ? String(error.stderr) : "" };
  }
}

test.each([[[]], [["bench"]]])(
  "an install of %j that fails shows npm's reason before it refers to it",
  async (args) => {
    await project(args[0] ?? ".", false);
    const { isOk, stderr } = await run("install.mjs", ...args);
    expect(isOk).toBe(false);
    expect(stderr).toMatch(OUT_OF_STEP);
    expect(stderr.trim()).toMatch(/failed; its messages are above\.$/);
  },
);

test.each(["", "bench"])(
  "the check of lock files names the one in %j that is out of step",
  async (folder) => {
    await project("", folder !== "");
    await project("bench", folder !== "bench");
    const { isOk, stderr } = await run("check-locks.ts");
    expect(isOk).toBe(false);
    expect(stderr).toContain(`${join(folder, "package-lock.json")} is out of step`);
    expect(stderr).toMatch(OUT_OF_STEP);
  },
);

test("the check of lock files passes when both are in step", async () => {
  await project("", true);
  await project("bench", true);
  expect(await run("check-locks.ts")).toEqual({ isOk: true, stderr: "" });
});

test("the project's own lock files are in step", async () => {
  const { stderr } = await promisify(execFile)(process.execPath, [join(SCRIPTS, "check-locks.ts")]);
  expect(stderr).toBe("");
}, 60_000);
