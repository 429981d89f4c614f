/** Whom programs run as. Only root can start programs as others: elsewhere, what a node that may not says is all that can be tried. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_BUILT_IN_SETTINGS } from "../../../src/jobs/built-in.ts";
import { findShellUser } from "../../../src/jobs/shell-user.ts";
import { until } from "../../fixtures/until.ts";
import { type PoolRig, startRig } from "./pool-rig.ts";

const SOURCE = new URL("../../../src/jobs/shell-user.ts", import.meta.url).href;
const isRoot = process.getuid?.() === 0;
const OTHER = { uid: 54_321, gid: 54_322 };
const NAME = `${OTHER.uid}:${OTHER.gid}`;

let folder: string;
let rig: PoolRig | null = null;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shell-user-"));
});
afterEach(async () => {
  await rig?.stop();
  rig = null;
});
afterAll(() => rm(folder, { recursive: true }));

async function refusal(name: string, guarded: readonly string[] = []): Promise<string> {
  const error: unknown = await findShellUser(name, guarded).catch((thrown: unknown) => thrown);
  return error instanceof Error ? error.message : "it was accepted";
}

test.each<[string, string]>([
  ["no-such-user", "SHELL_USER: there is no user no-such-user on this machine"],
  ["root", "SHELL_USER: root may do everything"],
  ["0:54322", "SHELL_USER: 0:54322 may do everything"],
])("%s is refused", async (name, message) => {
  expect(await refusal(name)).toContain(message);
});

test("a node that may not change to the user says so, and what it needs", async () => {
  // It has read its sources by the time that it gives up its rights.
  const script = `
    import { findShellUser } from ${JSON.stringify(SOURCE)};
    if (process.getuid() === 0) { process.setgroups([]); process.setgid(54321); process.setuid(54321); }
    await findShellUser("54322:54322", []).catch((error) => console.log(error.code, error.message));`;
  const args = ["--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: "/" });
  expect(stdout).toMatch(
    /^invalid_argument SHELL_USER: the node may not run programs as 54322:54322 \(.*EPERM\); run it as root, or with the capabilities SETUID, SETGID and KILL/,
  );
});

test.skipIf(isRoot)("the node's own user is refused", async () => {
  expect(await refusal(userInfo().username)).toContain("is the node's own user; name another");
});

describe.runIf(isRoot)("a user of its own", () => {
  test("is looked up by its name, with its group", async () => {
    const { stdout } = await promisify(execFile)("sh", ["-c", "id -u nobody; id -g nobody"]);
    const [uid, gid] = stdout.split("\n").map(Number);
    expect(await findShellUser("nobody", [])).toEqual({ uid, gid });
    expect(await findShellUser(NAME, [])).toEqual(OTHER);
  });

  test("that shares a group with the node is refused", async () => {
    expect(await refusal("54321:0")).toContain("would have the group 0 of the node itself");
  });

  test("that can read what holds secrets is refused, until that is closed", async () => {
    // Below a folder that is closed itself, nothing could be read.
    const open = await mkdtemp(join(tmpdir(), "shell-guarded-"));
    try {
      await chmod(open, 0o755);
      const file = join(open, "secret file");
      await writeFile(file, "secret", { mode: 0o644 });
      expect(await refusal(NAME, [file])).toContain(`${NAME} may read ${file}, which holds secrets`);
      await chmod(file, 0o600);
      expect(await findShellUser(NAME, [file])).toEqual(OTHER);
      expect(await refusal(NAME, [file, open])).toContain(`may read ${open}`);
      await chmod(open, 0o700);
      expect(await findShellUser(NAME, [file, open])).toEqual(OTHER);
    } finally {
      await rm(open, { recursive: true });
    }
  });

  test("is what programs run as, without the node's groups and capabilities", async () => {
    const line = "id -u; id -G; sed -n 's/^Cap...:[[:space:]]*0*//p' /proc/self/status | sort -u | head -n 1";
    expect(await shell(line, OTHER)).toMatchObject({ stdout: `${OTHER.uid}\n${OTHER.gid}\n\n` });
  });

  test("can't read the node's environment, memory map and open files in /proc", async () => {
    const read =
      'for file in environ maps; do cat "/proc/$PPID/$file" >/dev/null && echo "$file"; done; ls "/proc/$PPID/fd"; true';
    const { stdout, stderr } = await shell(read, OTHER);
    expect(stdout).toBe("");
    expect(stderr).toContain("Permission denied");
    // As the node's own user, it can.
    expect((await shell(read, null)).stdout).toMatch(/^environ\nmaps\n\d/);
  });

  test("can't end the node, and its programs are ended by the node", async () => {
    expect(await shell('kill -0 "$PPID" || echo refused', OTHER)).toMatchObject({ stdout: "refused\n" });
    rig = await startRig({
      handlersUrl: null,
      builtIn: { ...DEFAULT_BUILT_IN_SETTINGS, shell: { user: OTHER } },
    });
    const running = rig.run("shell", { payload: JSON.stringify({ command: "sleep", args: ["54321"] }) });
    await until("it runs", async () => (await sleepers()) > 0);
    running.abort("enough", 5000);
    expect(await running.end).toMatchObject({ kind: "failed", error: { message: "enough" } });
    await until("it is gone", async () => (await sleepers()) === 0);
  });
});

async function sleepers(): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "stat=,args="]);
  return stdout.split("\n").filter((line) => /^[^Z]\S*\s+sleep 54321$/.test(line)).length;
}

async function shell(command: string, user: typeof OTHER | null) {
  const own = await startRig({
    handlersUrl: null,
    builtIn: { ...DEFAULT_BUILT_IN_SETTINGS, shell: { user } },
  });
  try {
    const end = await own.run("shell", { payload: JSON.stringify({ command, shell: true }) }).end;
    if (end.kind !== "succeeded") throw new Error(`it has ended otherwise: ${JSON.stringify(end)}`);
    return JSON.parse(end.output ?? "") as { readonly stdout: string; readonly stderr: string };
  } finally {
    await own.stop();
  }
}
