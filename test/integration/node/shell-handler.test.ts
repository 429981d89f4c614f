import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_BUILT_IN_SETTINGS } from "../../../src/jobs/built-in.ts";
import { until } from "../../fixtures/until.ts";
import { type PoolRig, startRig } from "./pool-rig.ts";

const SHELL_ON = { ...DEFAULT_BUILT_IN_SETTINGS, shell: { user: null } };
const BLOCKING = new URL("./handlers/trouble.ts", import.meta.url).href;

let rig: PoolRig;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shell-"));
});
afterEach(() => rig.stop());
afterAll(() => rm(folder, { recursive: true }));

async function shell(payload: unknown) {
  rig = await startRig({ handlersUrl: null, builtIn: SHELL_ON });
  const end = await rig.run("shell", { payload: JSON.stringify(payload) }).end;
  return end.kind === "succeeded" ? JSON.parse(end.output ?? "") : end;
}

test("is not there unless it is switched on", async () => {
  rig = await startRig({ handlersUrl: null });
  expect(rig.pool.handlers).not.toContain("shell");
  expect(await rig.run("shell", { payload: '{"command":"true"}' }).end).toMatchObject({ kind: "failed" });
});

describe("a program", () => {
  test("runs with its args as they are, without a shell", async () => {
    expect(await shell({ command: "printf", args: ["%s|", "a b", "$HOME", "*"] })).toEqual({
      exitCode: 0,
      stdout: "a b|$HOME|*|",
      stderr: "",
    });
  });

  test("returns what is no text in base64, and says so", async () => {
    expect(await shell({ command: String.raw`printf '\303\251'; printf 'x\377' >&2`, shell: true })).toEqual({
      exitCode: 0,
      stdout: "é",
      stderr: "eP8=",
      stderrEncoding: "base64",
    });
  });

  test("keeps whole characters of a long text", async () => {
    const line = { command: "yes 語 | head -n 30000 | tr -d '\\n'; printf x", shell: true };
    const { stdout, ...more } = await shell(line);
    expect(stdout).toMatch(/^語{21845}x$/);
    expect(more).toEqual({ exitCode: 0, stderr: "", truncated: true });
  });

  test("can be a line for the shell, with args", async () => {
    const line = { command: 'echo "$1" | tr a-z A-Z >&2', args: ["it's; exit 1"], shell: true };
    expect(await shell(line)).toMatchObject({ stdout: "", stderr: "IT'S; EXIT 1\n" });
  });

  test("gets nothing of the node's environment, but the job's, and its input", async () => {
    const { stdout } = await shell({
      command: "cat; env | sort",
      shell: true,
      stdin: "input\n",
      env: { MINE: "1" },
    });
    const names = stdout
      .split("\n")
      .filter(Boolean)
      .map((line: string) => line.split("=")[0]);
    expect(names).toEqual(
      expect.arrayContaining([
        "input",
        "JOB_ATTEMPT",
        "JOB_CLAIM",
        "JOB_ID",
        "JOB_IDEMPOTENCY_KEY",
        "JOB_SCHEDULED_AT",
        "MINE",
        "PATH",
      ]),
    );
    expect(
      names.filter((name: string) => !/^(input|JOB_.*|MINE|PATH|PWD|OLDPWD|SHLVL|_)$/.test(name)),
    ).toEqual([]);
  });

  test("that exits with another code has failed, with the end of what it wrote", async () => {
    const command = "yes x | head -c 100000 >&2; echo out of paper >&2; exit 3";
    const end = await shell({ command, shell: true });
    expect(end).toMatchObject({ kind: "failed", isPermanent: false });
    expect(end.error.message).toMatch(/exited with 3: [\s\S]*x\nout of paper$/);
    expect(end.error.message.length).toBeLessThan(2500);
  });

  test("that is killed has failed, by name of the signal", async () => {
    const end = await shell({ command: "kill -9 $$", shell: true });
    expect(end.error.message).toContain("was ended by SIGKILL");
  });

  test("that writes much keeps the end of it", async () => {
    const { stdout, truncated } = await shell({
      command: "yes 1234567 | head -c 10000000; echo end",
      shell: true,
    });
    expect(stdout).toHaveLength(64 * 1024);
    expect(stdout.endsWith("1234567\nend\n")).toBe(true);
    expect(truncated).toBe(true);
  });

  test("that leaves something in the background does not wait for it, and takes it along", async () => {
    const file = join(folder, "background");
    await shell({ command: `sleep 1000 & echo $! > ${file}`, shell: true });
    await gone(await written(file));
  });
});

test.each<[unknown, string]>([
  [{}, "payload.command: is required"],
  [{ command: "" }, "payload.command: is required"],
  [{ command: "a\0b" }, "payload.command: must not hold a NUL"],
  [{ command: ["echo"] }, "payload.command: must be text: the program alone"],
  [{ command: 5 }, "payload.command: must be text"],
  [{ command: "no-such-program" }, "payload.command: no-such-program is in no folder of PATH (/usr/local"],
  [{ command: "/no/such/program" }, "payload.command: /no/such/program is not there"],
  [{ command: "/etc" }, "payload.command: /etc is a folder"],
  [{ command: "/etc/passwd" }, "payload.command: /etc/passwd may not be executed"],
  [{ command: "/etc/passwd/x" }, "payload.command: /etc/passwd/x is not there"],
  [{ command: "pwd", cwd: "/no/such/folder" }, "payload.cwd: /no/such/folder is not there"],
  [{ command: "pwd", cwd: "/etc/passwd" }, "payload.cwd: /etc/passwd is not a folder"],
  [{ command: "pwd", cwd: "" }, "payload.cwd: must name a folder"],
  [{ command: "pwd", cwd: 5 }, "payload.cwd"],
  [{ command: "pwd", shell: true, cwd: "/no/such/folder" }, "payload.cwd: /no/such/folder is not there"],
  [{ command: "echo", env: { "1A": "x" } }, "payload.env.1A: is no name of a variable: letters, digits"],
  [{ command: "echo", env: { "A=B": "x" } }, "payload.env.A=B: is no name of a variable: letters, digits"],
  [{ command: "echo", env: { A: 1 } }, "payload.env.A: is 1; text is accepted"],
  [{ command: "echo", env: ["A"] }, 'payload.env: is ["A"]; an object with names and texts is accepted'],
  [{ command: "ls", args: "-l" }, 'payload.args: is "-l"; a list of texts is accepted'],
  [{ command: "ls", args: [1] }, "payload.args.0: is 1; text is accepted"],
  [{ command: "ls", shell: "yes" }, 'payload.shell: is "yes"; true or false is accepted'],
  [{ command: "ls", stdin: 5 }, "payload.stdin: is 5; text is accepted"],
  [
    { command: "ls", comand: "" },
    "payload.comand: is not known; command, args, shell, cwd, env and stdin are",
  ],
])("the payload %j is refused for good", async (payload, message) => {
  const end = await shell(payload);
  expect(end).toMatchObject({ kind: "failed", isPermanent: true });
  expect(end.error.message).toContain(message);
});

test("a program whose interpreter is not there is refused for good", async () => {
  const file = join(folder, "script");
  await writeFile(file, "#!/no/such/interpreter\n", { mode: 0o755 });
  const end = await shell({ command: file });
  expect(end).toMatchObject({ kind: "failed", isPermanent: true });
  expect(end.error.message).toContain(`payload.command: ${file} names an interpreter`);
});

test.each<[string, unknown, string]>([
  ["a name", { command: "x".repeat(5000) }, "payload.command: x"],
  ["an argument", { command: "echo", args: ["x".repeat(500_000)] }, "payload.args: together with"],
])("%s too long for the system is refused for good", async (_, payload, message) => {
  const end = await shell(payload);
  expect(end).toMatchObject({ kind: "failed", isPermanent: true });
  expect(end.error.message).toContain(message);
});

test("at its abort a program is killed with all that it has started", async () => {
  rig = await startRig({ handlersUrl: null, builtIn: SHELL_ON });
  const file = join(folder, "aborted");
  const command = `trap '' TERM; sleep 1000 & echo $! > ${file}.part; mv ${file}.part ${file}; wait`;
  const running = rig.run("shell", { payload: JSON.stringify({ command, shell: true }) });
  const child = await written(file);
  running.abort("its node is stopping", 5000);
  expect(await running.end).toMatchObject({ kind: "failed", error: { message: "its node is stopping" } });
  await gone(child);
});

test("a program does not outlive its thread", async () => {
  rig = await startRig({ handlersUrl: BLOCKING, builtIn: SHELL_ON });
  const file = join(folder, "blocked");
  const command = `sleep 1000 & echo $! > ${file}.part; mv ${file}.part ${file}; wait`;
  const running = rig.run("shell", { payload: JSON.stringify({ command, shell: true }) });
  const child = await written(file);
  const blocker = await rig.begin("block", { timeoutMs: 100 });
  expect(await blocker.end).toEqual({ kind: "timed_out" });
  expect(await running.end).toMatchObject({ kind: "lost", isBlameless: true });
  await gone(child);
});

async function written(file: string): Promise<number> {
  let pid = 0;
  await until("the program has written its child's id", async () => {
    pid = Number(await readFile(file, "utf8").catch(() => 0));
    return pid > 0;
  });
  return pid;
}

/** A killed process that nobody waits for stays as a zombie (Z). */
async function gone(pid: number): Promise<void> {
  await until(`process ${pid} is gone`, async () => {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    return stat === "" || / Z /.test(stat);
  });
}
