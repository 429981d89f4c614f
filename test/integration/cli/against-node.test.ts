/** Commands against a real node, embedded: what they send is what the service takes. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { until } from "../../fixtures/until.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/start.mjs");
// Each command is a process, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let url = "";
let stop = async () => {};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "commands-"));
  const env = { PATH: process.env["PATH"], DATA_DIR: folder, HOST: "127.0.0.1", PORT: "0", NODE_ID: "n1" };
  const node = spawn(process.execPath, [MAIN, "node"], { env, stdio: ["ignore", "pipe", "ignore"] });
  let printed = "";
  node.stdout.on("data", (part: Buffer) => (printed += part.toString()));
  stop = async () => {
    node.kill("SIGKILL");
    await once(node, "exit");
    await rm(folder, { recursive: true });
  };
  await until("the node is up", () => printed.includes(" is at "), 30_000);
  url = `http://${/ is at (\S+)/.exec(printed)?.[1]}`;
});
afterAll(() => stop());

async function elasticJob(args: readonly string[], input: string | Uint8Array = "") {
  const env = { ...process.env, ELASTIC_JOB_URL: url };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

async function json(...args: string[]) {
  const { stdout, stderr } = await elasticJob([...args, "--json"]);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

const FAR = ["--at", "2099-01-01T00:00:00Z"];

describe("add", () => {
  test("has an option for all that a job can say", async () => {
    const { jobId } = await json(
      ...["add", "echo", "--daily", "02:30", "--zone", "Europe/Berlin", "--gap", "skip", "--fold", "both"],
      ...["--misfire", "all", "--backoff", "500ms", "--max-backoff", "1h30m", "--multiplier", "1.5"],
      ...["--slots", "2", "--memory", "64", "--max-attempts", "3", "--start-at", "2099-01-01T00:00:00Z"],
    );
    expect((await json("status", jobId)).job).toMatchObject({
      daily: { at: "02:30", timeZone: "Europe/Berlin", gap: "GAP_SKIP", fold: "FOLD_BOTH" },
      misfire: "MISFIRE_ALL",
      retry: { maxAttempts: 3, initialBackoff: "0.500s", maxBackoff: "5400s", multiplier: 1.5 },
      requirements: { slots: 2, memoryMb: 64 },
    });
  });

  test("keeps each digit of a payload, and prints it", async () => {
    const exact = '{"id":3889108265204450030,"zero":-0}';
    const file = join(folder, "exact.json");
    await writeFile(file, `${exact}\n`);
    const jobs = [exact, `@${file}`].map((payload) =>
      elasticJob(["add", "echo", "--payload", payload, "--wait"]),
    );
    for (const { stdout } of await Promise.all(jobs)) {
      expect(stdout).toMatch(new RegExp(`payload +${exact}\n`));
      expect(stdout).toMatch(new RegExp(`came of it +${exact}\n`));
    }
    const lines = await elasticJob(["add", "--file", "-"], `{"handler":"echo","payload":${exact}}\n`);
    expect(lines.stdout).toBe("added 1 job\n");
    const list = await elasticJob(["list", "--json", "--limit", "1"]);
    expect(list.stdout.replaceAll(/\s/g, "")).toContain(
      `"payload":${exact},"payloadJson":${JSON.stringify(exact)}`,
    );
    const { jobId } = JSON.parse(list.stdout).jobs[0];
    await elasticJob(["update", jobId, "--payload", "[9007199254740993]"]);
    expect((await elasticJob(["status", jobId])).stdout).toMatch(/payload +\[9007199254740993\]/);
  });

  test("refuses bytes that are not UTF-8, with their offset", async () => {
    const file = join(folder, "latin1.json");
    await writeFile(file, Buffer.from('{"name":"J\xf6rg"}', "latin1"));
    const fromFile = await elasticJob(["add", "echo", "--payload", `@${file}`]);
    expect(fromFile).toMatchObject({ code: 2, stdout: "" });
    expect(fromFile.stderr).toContain(`${file}: byte 10, 0xf6, is not UTF-8; text in UTF-8 is accepted`);
    const fromStdin = await elasticJob(["add", "echo", "--payload", "@-"], Buffer.from([0x22, 0xff, 0x22]));
    expect(fromStdin).toMatchObject({ code: 2, stderr: expect.stringContaining("stdin: byte 1, 0xff") });

    const given = `exec "$0" "$1" add echo --payload "$(printf '"x\\377"')"`;
    const inArgument = await promisify(execFile)("/bin/sh", ["-c", given, process.execPath, MAIN], {
      env: { ...process.env, ELASTIC_JOB_URL: url },
    }).catch((error: { code: number; stderr: string }) => error);
    expect(inArgument).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--payload: byte 2 is not UTF-8"),
    });

    const lines = Buffer.concat([
      Buffer.from('{"handler":"echo"}\n{"handler":"echo","payload":"'),
      Buffer.from([0xff, 0x22, 0x7d, 0x0a]),
      Buffer.from('{"handler":"echo","payload":{"a":1,"a":2}}\r\n\n{"handler":"echo"}'),
    ]);
    const { code, stdout, stderr } = await elasticJob(["add", "--file", "-"], lines);
    expect([code, stdout]).toEqual([1, "added 2 jobs, 2 refused\n"]);
    expect(stderr).toContain("line 2: invalid_argument: the line: byte 29, 0xff, is not UTF-8");
    expect(stderr).toContain("line 3: invalid_argument: payload.a: is given twice; a name is accepted once");
  });

  test("takes the payload from a file, and from stdin", async () => {
    const file = join(folder, "payload.json");
    await writeFile(file, '{"from": "a file"}');
    const one = await json("add", "echo", "--payload", `@${file}`, ...FAR);
    expect((await json("status", one.jobId)).job.payload).toEqual({ from: "a file" });
    const two = await elasticJob(["add", "echo", "--payload", "@-", "--json", ...FAR], '"from stdin"');
    expect((await json("status", JSON.parse(two.stdout).jobId)).job.payload).toBe("from stdin");
    const none = await elasticJob(["add", "echo", "--payload", "@/nowhere.json"]);
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("/nowhere.json can't be read: ENOENT"),
    });
  });

  test("adds a job for each line of a file, tells which lines are refused, and counts", async () => {
    const file = join(folder, "jobs.jsonl");
    const wrongFields = '{"priority":1.5,"timeout":"x","bogus":1}';
    const lines = Array.from({ length: 2_500 }, (_, n) =>
      JSON.stringify({ payload: n, idempotencyKey: `line-${n}` }),
    );
    lines.splice(
      1_000,
      0,
      "{not json",
      "[]",
      '{"handler":"nobody-has-it"}',
      '{"delay":"3m"}',
      wrongFields,
      "",
    );
    await writeFile(file, lines.join("\n"));
    const options = ["add", "echo", "--file", file, "--in", "3d", "--name", "from-file"];
    const first = await elasticJob(options);
    expect(first.stdout).toBe("added 2500 jobs, 5 refused\n");
    expect(first.code).toBe(1);
    expect(first.stderr).toMatch(
      /^line 1001: invalid_argument: the line: is not JSON \(.*; a job as a JSON object is accepted/m,
    );
    expect(first.stderr).toMatch(
      /^line 1002: invalid_argument: the line: is \[\]; a job as a JSON object is accepted/m,
    );
    expect(first.stderr).toMatch(/^line 1003: failed_precondition: handler: /m);
    expect(first.stderr).toMatch(/^line 1004: invalid_argument: delay: is not known; name, handler, /m);
    expect(first.stderr).toMatch(
      /^line 1005: invalid_argument: priority: is 1.5; a whole number from -100 to 100 is accepted; timeout: is "x"; a duration, such as/m,
    );
    const again = await elasticJob([...options, "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({ added: 0, existed: 2_500, refused: 5 });
  });

  test("adds a job for each line of stdin", async () => {
    const { code, stdout } = await elasticJob(
      ["add", "--file", "-"],
      '{"handler":"echo","timed":{"delay":"1h30m"}}\r\n\n{"handler":"echo","timed":{"delay":"2d"}}',
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "added 2 jobs\n" });
    const none = await elasticJob(["add", "--file", join(folder, "none.jsonl")]);
    expect(none).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("ENOENT") });
  });
});

describe("update", () => {
  test("changes what is named, 0 and nothing included, and leaves the rest", async () => {
    const { jobId } = await json(
      ...["add", "echo", "--name", "n", "--priority", "5", "--timeout", "3m"],
      ...["--backoff", "7s", "--max-attempts", "4", ...FAR],
    );
    const { code, stdout } = await elasticJob([
      ...[
        "update",
        jobId,
        "--priority",
        "0",
        "--clear",
        "timeout",
        "--max-attempts",
        "2",
        "--daily",
        "09:00",
      ],
      ...["--revision", "0"],
    ]);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/is WAITING, next run .*, at revision 1\n$/),
    });
    const { job } = await json("status", jobId);
    expect(job).toMatchObject({
      name: "n",
      daily: { at: "09:00" },
      retry: { maxAttempts: 2, initialBackoff: "7s" },
    });
    expect(job).not.toHaveProperty("timeout");
    expect(job).toHaveProperty("priority", 0);
    const again = await elasticJob(["update", jobId, "--priority", "0", "--daily", "09:00"]);
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^nothing changed: .*, at revision 1\n$/),
    });
    const stale = await elasticJob(["update", jobId, "--name", "x", "--revision", "0", "--json"]);
    expect(stale.code).toBe(1);
    expect(JSON.parse(stale.stderr)).toEqual({
      code: "failed_precondition",
      message: "revision: the job is at revision 1, not at 0",
    });
    expect(await elasticJob(["update", jobId])).toMatchObject({ code: 2 });
  });
});

test("preview lists the occurrences of a schedule, with local times and notes", async () => {
  const { stdout } = await elasticJob([
    ...[
      "preview",
      "--daily",
      "02:30",
      "--zone",
      "Europe/Berlin",
      "--after",
      "2027-03-27T00:00:00Z",
      "--count",
      "2",
    ],
  ]);
  const [header, first, second, zones] = stdout.split("\n");
  expect(header).toMatch(/^TIME +LOCAL +NOTE$/);
  expect(first).toMatch(/^2027-03-27T01:30:00Z {2}2027-03-27T02:30:00/);
  expect(second).toMatch(/^2027-03-28T01:00:00Z {2}2027-03-28T03:00:00 {2}\S/);
  expect(zones).toMatch(/^time zone data \S+/);
  expect(await json("preview", "--cron", "0 9 * * *", "--count", "3")).toMatchObject({
    occurrences: [{}, {}, {}],
  });
});

test("an interval is previewed, added, listed and changed, and keeps its anchor where only other fields change", async () => {
  const preview = ["preview", "--every", "1h30m", "--anchor", "2027-03-28T00:00:00Z"];
  expect(await json(...preview, "--after", "2027-03-28T00:00:00Z", "--count", "2")).toMatchObject({
    occurrences: [{ time: "2027-03-28T01:30:00Z" }, { time: "2027-03-28T03:00:00Z" }],
  });
  const { jobId } = await json("add", "echo", "--every", "2h", "--name", "interval", "--misfire", "skip");
  const { job: added } = await json("status", jobId);
  expect(Date.parse(added.nextRunAt) - Date.parse(added.interval.anchor)).toBe(7_200_000);
  expect((await elasticJob(["list", "--name", "interval"])).stdout).toMatch(/ every 7200s from \S+Z /);
  const { job: same, changed } = await json("update", jobId, "--every", "2h");
  expect({ same, changed }).toMatchObject({ same: { interval: added.interval }, changed: false });
  const { job: other } = await json("update", jobId, "--every", "3h", "--anchor", "2090-01-01T00:00:00Z");
  expect(other).toMatchObject({ nextRunAt: "2090-01-01T00:00:00Z", misfire: "MISFIRE_SKIP" });
  const refused = await elasticJob(["add", "echo", "--every", "999ms"]);
  expect(refused.stderr).toContain("interval.every: is 0.999s; 1s up to");
  expect((await elasticJob(["add", "echo", "--anchor", "2090-01-01T00:00:00Z"])).stderr).toContain(
    "option '--anchor <instant>' needs '--every <duration>'",
  );
});

test("put makes the job of a key be as described, and says what it did", async () => {
  const put = ["put", "nightly", "echo", "--cron", "0 3 * * *", "--zone", "Europe/Berlin"];
  const { jobId, outcome } = await json(...put);
  expect(outcome).toBe("PUT_OUTCOME_CREATED");
  expect((await elasticJob(put)).stdout).toMatch(
    new RegExp(`^unchanged job ${jobId}, next run \\S+Z, at revision 0\n$`),
  );
  expect((await elasticJob([...put, "--priority", "4"])).stdout).toMatch(/^updated job .* at revision 1\n$/);
  const refused = await elasticJob(["put", "nightly", "echo", "--in", "5s"]);
  expect(refused.stderr).toContain("timed.delay: counts from each call");
});

test("drain and undrain say what they did, and a list says why jobs wait", async () => {
  expect((await elasticJob(["drain", "n1"])).stdout).toBe("node n1 takes no more jobs\n");
  const { jobId } = await json("add", "echo", "--name", "drained");
  expect((await elasticJob(["list", "--name", "drained"])).stdout).toMatch(
    /PREPARED .* the only node that can take it, n1, is draining$/m,
  );
  expect((await elasticJob(["cluster"])).stdout).toMatch(/^n1 .* master, draining /m);
  expect((await elasticJob(["undrain", "n1"])).stdout).toBe("node n1 takes jobs again\n");
  expect((await elasticJob(["watch", jobId])).code).toBe(0);
  const nobody = await elasticJob(["undrain", "nobody", "--json"]);
  expect(JSON.parse(nobody.stderr)).toMatchObject({ code: "not_found" });
  expect(nobody).toMatchObject({ code: 1, stdout: "" });
});

test("lists filter by parent and by outcome", async () => {
  const { jobId } = await json("add", "echo", ...FAR);
  const child = (await json("trigger", jobId)).job.jobId;
  expect((await json("list", "--parent", jobId)).jobs.map((job: { jobId: string }) => job.jobId)).toEqual([
    child,
  ]);
  await elasticJob(["add", "fail", "--max-attempts", "1", "--wait"]);
  const { results } = await json("results", "--outcome", "failed");
  expect(results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(["OUTCOME_FAILED"]);
});

test("audit lists what callers did, by time, caller, method and job", async () => {
  const { jobId } = await json("add", "echo", "--name", "a", ...FAR);
  await json("pause", jobId);
  await json("update", jobId, "--name", "b");
  expect((await elasticJob(["drain", "nobody"])).code).toBe(1);
  const table = async (...args: string[]) => (await elasticJob(["audit", ...args])).stdout.trim().split("\n");
  const [header = "", ...rows] = await table("--job", jobId, "--since", "1h");
  expect(header).toMatch(/^WHEN +CALLER +FROM +METHOD +ON +JOBS +OUTCOME +WHAT$/);
  const changes = rows.filter((row) => !row.includes("AddJobs"));
  expect(changes).toEqual([
    expect.stringMatching(
      new RegExp(`^\\S+Z  this machine  \\S*127.0.0.1  UpdateJob  +${jobId}  +ok  +name; echo "b"$`),
    ),
    expect.stringMatching(new RegExp(`PauseJob +${jobId}  +ok  +echo "a"$`)),
  ]);
  await until(
    "the add is stored",
    async () => (await table("--job", jobId, "--method", "AddJobs")).length === 2,
  );
  expect((await table("--node", "nobody", "--caller", "this machine"))[1]).toMatch(
    /DrainNode +nobody +not_found$/,
  );
  expect(await table("--caller", "nobody")).toEqual(["nothing was noted"]);
  expect(await table("--until", "2020-01-01T00:00:00Z")).toEqual(["nothing was noted"]);
  expect(await table("--limit", "1")).toHaveLength(3);
  const { records } = await json("audit", "--method", "UpdateJob", "--job", jobId);
  expect(records).toMatchObject([{ caller: "this machine", jobId, outcome: "ok", count: 1 }]);
  for (const wrong of ["soon", "9999999d"]) {
    expect((await elasticJob(["audit", "--since", wrong])).code).toBe(2);
  }
});

test("--json prints what the API prints", async () => {
  const { jobId } = await json("add", "echo", "--payload", "1", ...FAR);
  const response = await fetch(`${url}/elasticjob.v1.JobService/GetJobStatus`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jobId }),
  });
  expect(await json("status", jobId)).toEqual(await response.json());
});

test("a wrong command line is told as JSON, too", async () => {
  const { code, stdout, stderr } = await elasticJob(["add", "echo", "--in", "soon", "--json"]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(JSON.parse(stderr)).toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining('"soon"'),
  });
});

describe("completion", () => {
  test("bash completes commands, options and their values", async () => {
    const { stdout: script } = await elasticJob(["completion", "bash"]);
    const file = join(folder, "completion.bash");
    await writeFile(file, script);
    const complete = (...words: string[]) =>
      new Promise<string[]>((resolve, reject) => {
        const line = `source ${file}; COMP_WORDS=(elastic-job "$@"); COMP_CWORD=$#; _elastic_job; printf '%s\\n' "\${COMPREPLY[@]}"`;
        execFile("bash", ["-c", line, "bash", ...words], (error, stdout) =>
          error === null ? resolve(stdout.trim().split("\n")) : reject(error),
        );
      });
    expect(await complete("un")).toEqual(["undrain"]);
    expect(await complete("add", "echo", "--mis")).toEqual(["--misfire"]);
    expect(await complete("add", "echo", "--misfire", "")).toEqual(["once", "skip", "all"]);
    expect(await complete("list", "--status", "pre")).toEqual(["prepared"]);
  });

  test("zsh and fish know every command and option", async () => {
    const help = await elasticJob(["add", "--help"]);
    const options = [...help.stdout.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name);
    expect(options.length).toBeGreaterThan(20);
    const zsh = (await elasticJob(["completion", "zsh"])).stdout;
    const fish = (await elasticJob(["completion", "fish"])).stdout;
    for (const name of options) {
      expect(zsh).toContain(`--${name}[`);
      expect(fish).toMatch(new RegExp(`from add' -l ${name} `));
    }
    expect(zsh).toMatch(/^#compdef elastic-job/);
    expect((await elasticJob(["completion", "tcsh"])).code).toBe(2);
  });
});
