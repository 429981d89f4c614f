import { execFile } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JobSchema, JobStatus } from "../../../src/gen/elasticjob/v1/job_pb.ts";
import { refusingPort, type SmallJobServer, startSmallJobServer } from "../../fixtures/small-job-server.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/start.mjs");

let server: SmallJobServer;
beforeEach(async () => {
  server = await startSmallJobServer();
});
afterEach(() => server.close());

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command against the small server. */
function elasticJob(
  args: readonly string[],
  url = server.url,
  more: Record<string, string> = {},
): Promise<Ended> {
  const env = { ...process.env, ELASTIC_JOB_URL: url, LOG_LEVEL: "info", ...more };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe("add", () => {
  test("adds a job with all its options", async () => {
    const options = ["--payload", '{"a":[1]}', "--name", "n", "--daily", "08:30", "--zone", "Asia/Shanghai"];
    const more = [
      "--priority",
      "-5",
      "--timeout",
      "1m",
      "--max-attempts",
      "3",
      "--label",
      "gpu=true",
      "--key",
      "k",
      "--key-ttl",
      "1d",
      "--key-reuse",
      "any",
      "--start-at",
      "2030-01-01T00:00:00Z",
      "--end-at",
      "2031-01-01T00:00:00Z",
      "--max-occurrences",
      "7",
      "--jitter",
      "5m",
      "--overlap",
      "skip",
      "--deadline",
      "1h",
    ];
    const { code, stdout } = await elasticJob(["add", "echo", ...options, ...more]);
    expect(stdout).toBe("added job 1, due 2026-11-22T08:00:00Z\n");
    expect(code).toBe(0);
    const shown = JSON.parse((await elasticJob(["status", "1", "--json"])).stdout);
    expect(shown.job).toMatchObject({
      name: "n",
      handler: "echo",
      payload: { a: [1] },
      daily: { at: "08:30", timeZone: "Asia/Shanghai" },
      priority: -5,
      timeout: "60s",
      retry: { maxAttempts: 3 },
      requirements: { labels: { gpu: "true" } },
      idempotencyKey: "k",
      keyTtl: "86400s",
      startAt: "2030-01-01T00:00:00Z",
      endAt: "2031-01-01T00:00:00Z",
      maxOccurrences: 7,
      jitter: "300s",
      overlap: "OVERLAP_SKIP",
      deadline: "3600s",
    });
  });

  test("waits for the end, and exits with 1 when the job failed", async () => {
    const good = await elasticJob(["add", "echo", "--payload", '"hi"', "--wait"]);
    expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/^status +SUCCEEDED$/m) });
    const bad = await elasticJob(["add", "fail", "--wait"]);
    expect(bad).toMatchObject({ code: 1, stdout: expect.stringContaining("TypeError: no luck") });
  });

  test("exits with 2 when the command line is wrong, and sends nothing", async () => {
    const wrong: [string[], RegExp][] = [
      [["add"], /missing required argument 'handler'/],
      [["add", "echo", "--in", "soon"], /"soon" is no duration/],
      [["add", "echo", "--payload", "{a}"], /it is no JSON/],
      [["add", "echo", "--in", "1s", "--daily", "08:30"], /cannot be used with/],
      [["add", "echo", "--zone", "UTC"], /needs '--daily/],
      [["add", "echo", "--overlap", "never"], /Allowed choices are wait, skip, allow/],
      [["add", "echo", "--key-life", "kept", "--key-ttl", "1s"], /cannot be used with/],
      [["retry"], /name one job, or give '--all'/],
      [["retry", "1", "--handler", "echo"], /need '--all'/],
      [["ad", "echo"], /unknown command 'ad'/],
      [
        ["list", "--url", "nonsense"],
        /option '--url <url>' argument 'nonsense' is invalid.*not the URL of an edge/,
      ],
      [
        ["update", "1", "--clear", "timeout", "--timeout", "3m"],
        /'--clear timeout' cannot be used with option '--timeout <duration>'/,
      ],
      [
        ["update", "1", "--clear", "labels", "--label", "a=b"],
        /'--clear labels' cannot be used with option '--label <name=value>'/,
      ],
      [
        ["update", "1", "--clear", "deadline", "retry", "--backoff", "1s"],
        /'--clear retry' cannot be used with option '--backoff <duration>'/,
      ],
      [
        ["update", "1", "--payload", "1", "--clear", "payload"],
        /'--clear payload' cannot be used with option '--payload <json>'/,
      ],
      [["update", "1", "--label", "a=b", "--label", "a=c"], /"a" is given twice; a label is accepted once/],
      [["add", "echo", "--label", "a=b", "--label", "a=b"], /"a" is given twice/],
      [
        ["add", "--file", "/nope"],
        /^error: --file: \/nope cannot be read: ENOENT.*; a file is accepted, or - for stdin$/m,
      ],
      [["add", "--file", "/etc"], /^error: --file: \/etc cannot be read: EISDIR/m],
      [["list", "--url", "localhost:8080"], /'localhost:8080' is invalid.*http:\/\/127\.0\.0\.1:8080/],
    ];
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await elasticJob(args);
      expect(stderr).toMatch(message);
      expect([code, stdout]).toEqual([2, ""]);
    }
    expect(server.calls).toEqual([]);
  });

  test("never prints a token that no header can carry", async () => {
    const ACCEPTED =
      /^error: --token: has a character that no header carries; printable ASCII without spaces is accepted$/m;
    for (const token of ["s3cret\nb", "s3cret b", "s3crét"]) {
      for (const args of [["--token", token], [`--token=${token}`]]) {
        const { code, stdout, stderr } = await elasticJob(["list", ...args]);
        expect([code, stdout]).toEqual([2, ""]);
        expect(stderr).toMatch(ACCEPTED);
        expect(stderr).not.toContain("s3cr");
      }
    }
    const env = await elasticJob(["list"], server.url, { ELASTIC_JOB_TOKEN: "s3cret\nb" });
    expect(env).toMatchObject({ code: 2, stdout: "" });
    expect(env.stderr).not.toContain("s3cr");
    const given = `exec "$0" "$1" list "$(printf -- '--token=s3cret\\377')"`;
    const lost = await promisify(execFile)("/bin/sh", ["-c", given, process.execPath, MAIN]).catch(
      (error: { code: number; stderr: string }) => error,
    );
    expect(lost.stderr).toMatch(/^error: --token: byte \d+ is not UTF-8/m);
    expect(lost.stderr).not.toContain("s3cr");
  });

  test("calls the edge at EDGE_PORT when it is told no other address", async () => {
    const EDGE_PORT = new URL(server.url).port;
    expect(await elasticJob(["list"], undefined, { EDGE_PORT, ELASTIC_JOB_URL: "" })).toMatchObject({
      code: 0,
      stdout: "no jobs\n",
    });
    expect((await elasticJob(["list", "--help"], undefined, { EDGE_PORT })).stdout).toContain(
      `127.0.0.1:${EDGE_PORT}`,
    );
    expect((await elasticJob(["list", "--help"], undefined, { EDGE_PORT: "0" })).stdout).toContain(
      "127.0.0.1:8080",
    );
  });

  test("tells the server's refusal in one line", async () => {
    expect(await elasticJob(["add", "unknown"])).toEqual({
      code: 1,
      stdout: "",
      stderr: 'error: failed_precondition: handler: no node offers "unknown"\n',
    });
  });
});

describe("logs", () => {
  const TEXT = [
    '2026-11-22T08:00:00.250Z info  first {"n":1}',
    "2026-11-22T08:00:00.250Z error (printed) ?[31mtwo",
    "  lines",
    "2026-11-22T08:00:00.250Z --    cut here",
    "",
  ].join("\n");

  test.each([[[]], [["--follow"]], [["--claim", "1"]]])(
    "%j prints what was said, so that it drives no terminal",
    async (more) => {
      await elasticJob(["add", "echo"]);
      expect(await elasticJob(["logs", "1", ...more])).toEqual({ code: 0, stdout: TEXT, stderr: "" });
    },
  );

  test("has it as JSON: one answer, or a line for each", async () => {
    await elasticJob(["add", "slow"]);
    const answer = JSON.parse((await elasticJob(["logs", "1", "--json"])).stdout);
    expect(answer).toMatchObject({ claim: 1, running: true });
    const { stdout } = await elasticJob(["logs", "1", "--json", "--follow"]);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(answer.lines);
    expect(answer.lines[1]).toMatchObject({ text: "\u001b[31mtwo\nlines", level: "LOG_LEVEL_ERROR" });
  });

  test("says what is wrong with a claim, or that there is no such job", async () => {
    expect((await elasticJob(["logs", "1", "--claim", "x"])).stderr).toContain("--claim");
    const missing = await elasticJob(["logs", "9", "--follow"]);
    expect(missing.stderr).toContain('jobId: there is no job "9"');
    expect(missing.code).toBe(1);
  });
});

describe("list, results, status, delete, watch", () => {
  test("print tables that align", async () => {
    await elasticJob(["add", "echo", "--payload", "1"]);
    await elasticJob(["add", "fail", "--name", "a longer name"]);
    expect((await elasticJob(["list"])).stdout).toBe(
      [
        "JOB  NAME           HANDLER  STATUS     SCHEDULE   NEXT RUN  REASON",
        "2    a longer name  fail     FAILED     immediate",
        "1    echo           echo     SUCCEEDED  immediate",
        "",
      ].join("\n"),
    );
    expect((await elasticJob(["results"])).stdout).toBe(
      [
        "JOB  CLAIM  SCHEDULED             ATTEMPT  OUTCOME    STARTED               TOOK  NODE    CAME OF IT",
        "2    1      2026-11-22T08:00:00Z  1        FAILED     2026-11-22T08:00:00Z  1.5s  node-1  TypeError: no luck",
        "1    1      2026-11-22T08:00:00Z  1        SUCCEEDED  2026-11-22T08:00:00Z  1.5s  node-1  1",
        "",
      ].join("\n"),
    );
    expect((await elasticJob(["list", "--limit", "1"])).stdout).toContain("and more; --limit");
  });

  test("print one JSON document with --json", async () => {
    await elasticJob(["add", "echo"]);
    const { jobs } = JSON.parse((await elasticJob(["list", "--json"])).stdout);
    expect(jobs).toMatchObject([{ jobId: "1", status: "JOB_STATUS_SUCCEEDED" }]);
    const { results } = JSON.parse((await elasticJob(["results", "1", "--json"])).stdout);
    expect(results).toMatchObject([{ jobId: "1", claim: 1 }]);
    // As the API has it: what holds its default is left out.
    expect(results[0]).not.toHaveProperty("late");
  });

  test("follow a job to its end", async () => {
    await elasticJob(["add", "echo"]);
    expect(await elasticJob(["watch", "1"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("SUCCEEDED"),
    });
  });

  test("delete a job, and fail for one that is not there", async () => {
    await elasticJob(["add", "echo"]);
    expect(await elasticJob(["delete", "1"])).toMatchObject({ code: 0, stdout: "deleted job 1\n" });
    expect(await elasticJob(["status", "1"])).toMatchObject({
      code: 1,
      stderr: 'error: not_found: jobId: there is no job "1"\n',
    });
  });

  test("name the statuses that there are", async () => {
    const { code, stderr } = await elasticJob(["list", "--status", "done"]);
    expect(stderr).toContain(
      '"done" is none of waiting, prepared, running, paused, succeeded, failed, cancelled',
    );
    expect(code).toBe(2);
  });
});

describe("cluster", () => {
  const node = { slots: 16, usedSlots: 0, handlers: ["echo"], labels: {}, cpu: 0, freeMemoryMb: 900 };
  const cluster = {
    masterNodeId: "node-2",
    masterAddress: "10.0.0.2:7070",
    epoch: 7,
    waiting: 3,
    prepared: 1,
    running: 20,
    nodes: [
      { ...node, nodeId: "node-10", address: "10.0.0.10:7070", usedSlots: 4, cpu: 0.256, draining: true },
      {
        ...node,
        nodeId: "node-2",
        address: "10.0.0.2:7070",
        usedSlots: 16,
        cpu: 1,
        freeMemoryMb: 12_345,
        handlers: ["echo", "fail"],
        labels: { gpu: "true", zone: "a" },
      },
    ],
  };

  test("shows the master, how many jobs it has, and the nodes in the order of their names", async () => {
    server.cluster = cluster;
    expect(await elasticJob(["cluster"])).toEqual({
      code: 0,
      stderr: "",
      stdout: [
        "master   node-2",
        "address  10.0.0.2:7070",
        "epoch    7",
        "jobs     3 waiting, 1 prepared, 20 running",
        "",
        "NODE     ADDRESS         STATE     SLOTS  CPU   FREE MEMORY  HANDLERS   LABELS",
        "node-2   10.0.0.2:7070   master    16/16  100%  12345 MiB    echo,fail  gpu=true,zone=a",
        "node-10  10.0.0.10:7070  draining  4/16   26%   900 MiB      echo",
        "",
      ].join("\n"),
    });
  });

  test("says that a master drains too, and that no node is connected", async () => {
    server.cluster = { masterNodeId: "node-1", nodes: [{ ...node, nodeId: "node-1", draining: true }] };
    expect((await elasticJob(["cluster"])).stdout).toMatch(/^node-1 +master, draining +0\/16 /m);
    server.cluster = { masterNodeId: "node-1" };
    expect((await elasticJob(["cluster"])).stdout).toMatch(/\n\nno nodes are connected\n$/);
  });

  test("prints the answer as it is with --json", async () => {
    server.cluster = cluster;
    const { stdout } = await elasticJob(["cluster", "--json"]);
    const { labels: _, ...unlabelled } = cluster.nodes[0] ?? {};
    expect(JSON.parse(stdout)).toEqual({ ...cluster, nodes: [unlabelled, cluster.nodes[1]] });
  });

  test("says what lies beyond the master's memory", async () => {
    server.cluster = { ...cluster, stuck: 1, later: 10_000 };
    const { stdout } = await elasticJob(["cluster"]);
    expect(stdout).toMatch(/^stuck +1 due, and no connected node can take it$/m);
    expect(stdout).toMatch(/^later +at least 10000 due beyond HORIZON_MS$/m);
    server.cluster = { ...cluster, stuck: 0, later: 0 };
    expect((await elasticJob(["cluster"])).stdout).not.toMatch(/^(stuck|later)/m);
  });

  test("says why an add would not be answered now, and nothing of it where one would", async () => {
    server.cluster = { ...cluster, notReady: "MySQL has not answered for 3.2 s" };
    const { stdout } = await elasticJob(["cluster"]);
    expect(stdout).toMatch(/^ready +no: MySQL has not answered for 3\.2 s$/m);
    server.cluster = cluster;
    expect((await elasticJob(["cluster"])).stdout).not.toMatch(/^ready/m);
  });

  test("tells in one line that there is no token for it, and exits with 1", async () => {
    server.before = () => {
      throw new ConnectError("send an API token", Code.Unauthenticated);
    };
    expect(await elasticJob(["cluster"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "error: unauthenticated: send an API token\n",
    });
  });
});

describe("pause, resume, trigger, cancel, retry", () => {
  test("say where the job stands then", async () => {
    await elasticJob(["add", "slow"]);
    const said = async (...args: string[]) => (await elasticJob(args)).stdout;
    expect(await said("pause", "1")).toBe("job 1 is PAUSED\n");
    expect(await said("resume", "1")).toBe("job 1 is WAITING\n");
    expect(await said("cancel", "1", "--scheduled-at", "2030-01-01T00:00:00Z")).toBe("job 1 is WAITING\n");
    expect(await said("cancel", "1")).toBe("job 1 is CANCELLED\n");
    expect(await said("retry", "1")).toBe("job 1 is RUNNING\n");
    expect(await said("trigger", "1")).toBe("added job 2, which runs job 1 now\n");
    expect(await said("status", "2")).toMatch(/^parent +1$/m);
    expect(JSON.parse(await said("pause", "1", "--json")).job).toMatchObject({ status: "JOB_STATUS_PAUSED" });
  });

  test("retry all jobs that failed, page by page, and pass over those that are gone by then", async () => {
    for (let n = 0; n < 60; n++) {
      const job = create(JobSchema, { jobId: `${n}`, name: n < 55 ? "a" : "b", status: JobStatus.FAILED });
      server.jobs.set(job.jobId, job);
    }
    server.before = (method) => {
      if (method === "GetAllJobs") queueMicrotask(() => server.jobs.delete("3"));
    };
    const { stdout, code } = await elasticJob(["retry", "--all", "--name-prefix", "a"]);
    expect({ stdout, code }).toEqual({ stdout: "54 jobs run again\n", code: 0 });
    expect(server.jobs.get("59")?.status).toBe(JobStatus.FAILED);
    expect(JSON.parse((await elasticJob(["retry", "--all", "--json"])).stdout)).toEqual({ retried: 5 });
  });
});

test("says in one line that nothing answers, at once", async () => {
  const { code, stderr } = await elasticJob(["list"], `http://127.0.0.1:${await refusingPort()}`);
  expect(stderr).toMatch(/^error: nothing answers there.*ECONNREFUSED.*\n$/);
  expect(code).toBe(1);
});

describe("edge", () => {
  test("says where it is, passes calls on, and stops on SIGTERM with 0", async () => {
    const env = { ...process.env, UPSTREAM: server.url, EDGE_PORT: "0", HOST: "127.0.0.1" };
    const child = execFile(process.execPath, [MAIN, "edge"], { env });
    const ended = once(child, "close");
    const [line] = (await once(child.stdout ?? child, "data")) as [string];
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? "";
    expect((await elasticJob(["add", "echo"], url)).stdout).toContain("added job 1");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });

  test("tells all settings that are wrong, and exits with 2", async () => {
    const env = { ...process.env, UPSTREAM: "nowhere", EDGE_PORT: "99999" };
    const child = execFile(process.execPath, [MAIN, "edge"], { env });
    let stderr = "";
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    expect(await once(child, "close")).toEqual([2, null]);
    expect(stderr).toMatch(/UPSTREAM.*EDGE_PORT|EDGE_PORT.*UPSTREAM/s);
  });
});

test("explains itself with examples", async () => {
  const { code, stdout } = await elasticJob(["--help"]);
  expect(stdout).toMatch(
    /dev.*node.*edge.*migrate.*add.*list.*status.*results.*pause.*retry.*delete.*watch.*cluster.*bench/s,
  );
  expect(code).toBe(0);
  expect((await elasticJob(["add", "--help"])).stdout).toContain("--daily 08:30 --zone Asia/Shanghai");
});
