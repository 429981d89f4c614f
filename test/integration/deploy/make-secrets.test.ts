/** The passwords of compose.yaml's servers, by the script that makes them there, killed at each of its steps. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findProgram } from "../../servers/private-server.ts";

const SCRIPT = join(import.meta.dirname, "../../../deploy/compose/make-secrets.sh");
const FOLDERS = ["node", "migrate", "mysql", "redis"];
const PASSWORDS = [
  "node/mysql-password",
  "node/redis-password",
  "migrate/mysql-password",
  "mysql/root-password",
];
const MADE = [...PASSWORDS, "mysql/accounts.sql", "mysql/root.cnf", "redis/users.acl"].sort();
const COMMANDS = "find rm chgrp chmod mktemp cat sync head od tr dirname ln mv sha256sum cut".split(" ");
const LIMIT_MS = 20_000;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "make-secrets-"));
  empty();
});
afterEach(() => rmSync(root, { recursive: true }));

function empty(): void {
  rmSync(join(root, "secrets"), { recursive: true, force: true });
  for (const folder of FOLDERS) mkdirSync(join(root, "secrets", folder), { recursive: true });
}

/** `path`: where it looks for commands first. */
function make(path = ""): Promise<{ readonly code: number | string; readonly printed: string }> {
  const group = String(process.getgid?.());
  const env = {
    PATH: `${path}:${process.env["PATH"]}`,
    SECRETS: join(root, "secrets"),
    NODE_GROUP: group,
    SERVER_GROUP: group,
  };
  // In a process group of its own, so that a kill takes the script with all that it runs.
  const child = spawn("sh", [SCRIPT], { env, detached: true, timeout: LIMIT_MS });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code: code ?? String(signal), printed }));
  });
}

const textOf = (file: string) => readFileSync(join(root, "secrets", file), "utf8");
const named = () =>
  FOLDERS.flatMap((folder) => readdirSync(join(root, "secrets", folder)).map((name) => `${folder}/${name}`))
    .filter((file) => !file.includes("/.new."))
    .sort();
const passwords = () => PASSWORDS.map(textOf);

function expectWhole(): void {
  expect(named()).toEqual(MADE);
  const [node = "", redis = "", migrate = "", ofRoot = ""] = passwords();
  expect(new Set([node, redis, migrate, ofRoot]).size).toBe(4);
  for (const password of passwords()) expect(password).toMatch(/^[0-9a-f]{48}$/);
  const accounts = textOf("mysql/accounts.sql");
  expect(accounts).toContain(`CREATE USER 'elastic_job'@'%' IDENTIFIED BY '${node}';`);
  expect(accounts).toContain(`CREATE USER 'elastic_job_migrate'@'%' IDENTIFIED BY '${migrate}';`);
  expect(accounts).toMatch(new RegExp(`^ALTER USER 'root'@'localhost' IDENTIFIED BY '${ofRoot}';\n$`, "m"));
  expect(textOf("mysql/root.cnf")).toBe(`[client]\nuser=root\npassword="${ofRoot}"\n`);
  const hash = createHash("sha256").update(redis).digest("hex");
  expect(textOf("redis/users.acl")).toMatch(
    new RegExp(`^user default reset off\nuser elastic_job reset on #${hash} ~cluster [^>]*\n$`),
  );
  for (const file of MADE)
    expect([file, statSync(join(root, "secrets", file)).mode & 0o777]).toEqual([file, 0o440]);
}

test("makes each password once, and keeps it from then on", async () => {
  expect(await make()).toEqual({ code: 0, printed: "" });
  expectWhole();
  const first = passwords();
  expect(await make()).toEqual({ code: 0, printed: "" });
  expectWhole();
  expect(passwords()).toEqual(first);
  empty();
  await make();
  for (const password of passwords()) expect(first).not.toContain(password);
});

test("leaves a whole set behind if it was killed at any of its steps, and is run again", async () => {
  const shims = killingShims();
  let kills = 0;
  for (;;) {
    empty();
    shims.killAt(kills + 1);
    const { code } = await make(shims.path);
    if (code === 0) break;
    kills += 1;
    const kept = PASSWORDS.filter((file) => named().includes(file)).map((file) => [file, textOf(file)]);
    expect(await make()).toMatchObject({ code: 0 });
    expectWhole();
    expect(kept.map(([file = ""]) => [file, textOf(file)])).toEqual(kept);
  }
  expect(kills).toBeGreaterThan(60);
}, 120_000);

test("makes one set of passwords where several run at once", async () => {
  for (let round = 0; round < 5; round++) {
    empty();
    const runs = await Promise.all(Array.from({ length: 6 }, () => make()));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    expectWhole();
  }
}, 60_000);

test("names a password that could not stand in a statement, and writes nothing with it", async () => {
  for (const [text, file] of [
    ["it's", "node/mysql-password"],
    ["", "node/redis-password"],
    ["two\nlines", "mysql/root-password"],
  ] as const) {
    empty();
    writeFileSync(join(root, "secrets", file), text);
    const { code, printed } = await make();
    expect([code, printed]).toEqual([1, expect.stringMatching(new RegExp(`^${file}: is not accepted`))]);
    if (text !== "") expect(printed).not.toContain(text);
    expect(named().filter((name) => !PASSWORDS.includes(name))).toEqual([]);
  }
});

/** Commands that count their calls, and of which the one of a chosen number kills the whole script instead. */
function killingShims(): { readonly path: string; killAt(call: number): void } {
  const path = join(root, "shims");
  mkdirSync(path);
  const left = join(path, "left");
  for (const name of COMMANDS) {
    const program = findProgram([name]);
    if (program === null) throw new Error(`${name} was not found`);
    const shim = join(path, name);
    writeFileSync(
      shim,
      // The parts of a pipe are called at once.
      `#!/bin/sh
exec 9< ${left}
flock 9
read -r left < ${left}
left=$((left - 1))
echo $left > ${left}
if [ $left -eq 0 ]; then kill -9 0; fi
exec 9<&-
exec ${program} "$@"
`,
    );
    chmodSync(shim, 0o755);
  }
  return { path, killAt: (call) => writeFileSync(left, `${call}\n`) };
}
