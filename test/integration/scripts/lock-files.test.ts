import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPTS = fileURLToPath(new URL("../../../scripts", import.meta.url));
/** Folders with packages of their own. */
const APART = ["bench", "test/package"];
const OUT_OF_STEP = /Missing: left-pad@\S* from lock file/;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "locks-"));
  await Promise.all(["scripts", ...APART].map((folder) => mkdir(join(root, folder), { recursive: true })));
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

/** What a lock file has of a package, beside its version. */
type Locked = Readonly<Record<string, unknown>>;

/** Puts `left-pad` into the manifest and the lock, as optional, and with what the lock is to have of it. */
async function lockLeftPad(folder: string, locked: Locked) {
  const optionalDependencies = { "left-pad": "1.3.0" };
  const manifest = { name: "x", type: "module", version: "1.0.0", optionalDependencies };
  const packages = {
    "": { name: "x", version: "1.0.0", optionalDependencies },
    "node_modules/left-pad": { version: "1.3.0", optional: true, ...locked },
  };
  const lock = { name: "x", version: "1.0.0", lockfileVersion: 3, requires: true, packages };
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

test.each(["", ...APART])(
  "the check of lock files names the one in %j that is out of step",
  async (folder) => {
    for (const each of ["", ...APART]) await project(each, each !== folder);
    const { isOk, stderr } = await run("check-locks.ts");
    expect(isOk).toBe(false);
    expect(stderr).toContain(`${join(folder, "package-lock.json")} is out of step`);
    expect(stderr).toMatch(OUT_OF_STEP);
  },
);

test("the check of lock files passes when all are in step", async () => {
  for (const each of ["", ...APART]) await project(each, true);
  expect(await run("check-locks.ts")).toEqual({ isOk: true, stderr: "" });
});

const SHA512 = `sha512-${"A".repeat(86)}==`;

test.each(["", ...APART])(
  "a package in %j that the lock file names without its hash is told",
  async (folder) => {
    for (const each of ["", ...APART]) await project(each, true);
    for (const locked of [{}, { integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" }]) {
      await lockLeftPad(folder, locked);
      const { isOk, stderr } = await run("check-locks.ts");
      expect(isOk).toBe(false);
      expect(stderr).toContain(`${join(folder, "package-lock.json")}: node_modules/left-pad has no SHA-512`);
    }
    await lockLeftPad(folder, { integrity: SHA512 });
    expect(await run("check-locks.ts")).toEqual({ isOk: true, stderr: "" });
  },
);

test("an install script that package.json does not name is told", async () => {
  for (const each of APART) await project(each, true);
  await lockLeftPad("", { integrity: SHA512, hasInstallScript: true });
  const { isOk, stderr } = await run("check-locks.ts");
  expect(isOk).toBe(false);
  expect(stderr).toContain("node_modules/left-pad has an install script. Name left-pad in allowScripts");
});

test("the project's own lock files are in step", async () => {
  const { stderr } = await promisify(execFile)(process.execPath, [join(SCRIPTS, "check-locks.ts")]);
  expect(stderr).toBe("");
}, 60_000);
