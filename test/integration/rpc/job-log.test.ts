/** What attempts have said, read and followed at a node, on both databases. */
import { type Client, Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { createConnectTransport as createWebTransport } from "@connectrpc/connect-web";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LogLine } from "../../../src/core/log/log-line.ts";
import { createEdge } from "../../../src/edge/app.ts";
import {
  JobService,
  LogLevel,
  type WatchJobLogResponse,
} from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { NOW } from "../../fixtures/job-fixture.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { addJobs, addRunning, describeStores, newIds, projection } from "../../fixtures/store-fixture.ts";
import { until } from "../../fixtures/until.ts";

const line = (text: string, more: Partial<LogLine> = {}): LogLine => ({
  at: NOW,
  level: "info",
  kind: "said",
  text,
  fields: null,
  ...more,
});

describeStores("the log of a job", (get) => {
  let node: TestNode;
  let jobs: Client<typeof JobService>;
  beforeAll(async () => {
    node = await startNode({ store: get().store });
    jobs = createClient(JobService, createConnectTransport({ baseUrl: node.url, httpVersion: "2" }));
  });
  afterAll(stopNodes);

  const write = (jobId: number, claim: number, first: number, ...texts: string[]) =>
    get().other.writeLog([{ jobId, claim, first, lines: texts.map((text) => line(text)) }]);

  /** Follows it in the background. */
  function follow(jobId: number, request: { claim?: number; afterSequence?: number } = {}) {
    const answers: WatchJobLogResponse[] = [];
    const ended = (async () => {
      for await (const answer of jobs.watchJobLog({ jobId: String(jobId), ...request })) answers.push(answer);
    })();
    ended.catch(() => {});
    return {
      answers,
      ended,
      texts: () => answers.flatMap(({ lines }) => lines.map(({ sequence, text }) => `${sequence} ${text}`)),
    };
  }

  test("is read in pages, which stay with their claim", async () => {
    const under = get();
    const [job] = await addRunning(under, 1, () => ({ claim: 4 }));
    const jobId = job?.id ?? 0;
    await write(jobId, 4, 1, "of the attempt before");
    await write(jobId, 5, 1, "a", "b", "c");
    await write(jobId, 5, 4, "d", "e");
    const first = await jobs.getJobLog({ jobId: String(jobId), pageSize: 2 });
    expect(first).toMatchObject({ claim: 5, running: true });
    expect(first.lines.map(({ text }) => text)).toEqual(["a", "b"]);
    await write(jobId, 6, 1, "of a newer attempt");
    const rest = await jobs.getJobLog({ jobId: String(jobId), pageSize: 3, pageToken: first.nextPageToken });
    expect(rest).toMatchObject({ claim: 5, nextPageToken: "" });
    expect(rest.lines.map(({ sequence, text }) => `${sequence} ${text}`)).toEqual(["3 c", "4 d", "5 e"]);
    const named = await jobs.getJobLog({ jobId: String(jobId), claim: 4 });
    expect(named).toMatchObject({ claim: 4, running: false });
    expect(named.lines).toHaveLength(1);
  });

  test("has each line as it was said", async () => {
    const under = get();
    const [job] = await addJobs(under, 1);
    const jobId = job?.id ?? 0;
    const odd = "\0\u001b[31m漢字 😀";
    await under.store.writeLog([
      {
        jobId,
        claim: 1,
        first: 1,
        lines: [
          line(odd, { level: "debug", fields: '{"a":[1.5,null],"b":{"c":"d"}}' }),
          line("p", { level: "error", kind: "printed" }),
          line("m", { level: "warn", kind: "mark" }),
        ],
      },
    ]);
    const { lines } = await jobs.getJobLog({ jobId: String(jobId) });
    expect(lines).toMatchObject([
      {
        level: LogLevel.DEBUG,
        text: odd,
        fields: { a: [1.5, null], b: { c: "d" } },
        printed: false,
        mark: false,
      },
      { level: LogLevel.ERROR, printed: true },
      { level: LogLevel.WARN, mark: true },
    ]);
    expect(Number(lines[0]?.at?.seconds) * 1000).toBe(NOW - (NOW % 1000));
    const byGrpc = createClient(JobService, createGrpcTransport({ baseUrl: node.url }));
    expect((await byGrpc.getJobLog({ jobId: String(jobId) })).lines).toEqual(lines);
  });

  test("is followed while its attempt runs, and no longer", async () => {
    const under = get();
    const [job] = await addRunning(under, 1);
    const jobId = job?.id ?? 0;
    await write(jobId, 1, 1, "before");
    const all = follow(jobId);
    const rest = follow(jobId, { claim: 1, afterSequence: 2 });
    await until("the first line", () => all.texts().length === 1);
    await write(jobId, 1, 2, "while", "it runs");
    await until("the next lines", () => all.texts().length === 3);
    await write(jobId, 1, 4, "at its end");
    await under.store.projectJobs([projection(jobId)]);
    await Promise.all([all.ended, rest.ended]);
    expect(all.texts()).toEqual(["1 before", "2 while", "3 it runs", "4 at its end"]);
    expect(rest.texts()).toEqual(["3 it runs", "4 at its end"]);
    // Whoever comes later has all of it at once.
    const late = follow(jobId);
    await late.ended;
    expect([late.texts().length, late.answers.length]).toEqual([4, 1]);
  });

  test("is waited for where no attempt has run yet", async () => {
    const under = get();
    const [job] = await addJobs(under, 1, () => ({ claim: 0 }));
    const jobId = job?.id ?? 0;
    const waiting = follow(jobId);
    await until("the first answer", () => waiting.answers.length === 1);
    expect(waiting.answers[0]).toMatchObject({ claim: 0, lines: [] });
    await under.store.claimJobs(under.epoch, 1, [{ jobId, claim: 1, revision: 1 }], NOW);
    await write(jobId, 1, 1, "begun");
    await until("its line", () => waiting.texts().length === 1);
    await under.store.projectJobs([projection(jobId)]);
    await waiting.ended;
    expect(waiting.texts()).toEqual(["1 begun"]);
  });

  test("ends at once for a job that has ended and said nothing, and is kept for one that is gone", async () => {
    const under = get();
    const [job] = await addRunning(under, 1);
    await under.store.projectJobs([projection(job?.id ?? 0)]);
    const nothing = follow(job?.id ?? 0);
    await nothing.ended;
    expect(nothing.answers).toMatchObject([{ lines: [] }]);
    const [gone = 0] = await newIds(under, 1);
    await write(gone, 2, 1, "it was here");
    expect(await jobs.getJobLog({ jobId: String(gone) })).toMatchObject({
      claim: 2,
      lines: [{ text: "it was here" }],
    });
    expect(await jobs.getJobLog({ jobId: String(gone), claim: 1 })).toMatchObject({ claim: 1, lines: [] });
  });

  test("refuses what it cannot read, and names the field", async () => {
    const [missing = 0] = await newIds(get(), 1);
    const jobId = String(missing);
    await expect(jobs.getJobLog({ jobId })).rejects.toMatchObject({ code: Code.NotFound });
    await expect(follow(missing).ended).rejects.toMatchObject({ code: Code.NotFound });
    for (const [request, words] of [
      [{ jobId: "x" }, "jobId"],
      [{ jobId, pageSize: -1 }, "pageSize"],
      [{ jobId, pageToken: "x" }, "pageToken"],
    ] as const) {
      await expect(jobs.getJobLog(request)).rejects.toMatchObject({
        code: Code.InvalidArgument,
        rawMessage: expect.stringContaining(words),
      });
    }
    await expect(follow(missing, { afterSequence: 3 }).ended).rejects.toMatchObject({
      rawMessage: expect.stringContaining("afterSequence"),
    });
  });

  test("is followed through an edge, until its caller has gone", async () => {
    const [job] = await addRunning(get(), 1);
    const jobId = job?.id ?? 0;
    await write(jobId, 1, 1, "seen at the edge");
    const edge = createEdge({ upstreams: [node.url], allowedOrigins: [], tokens: () => [], isOpen: true });
    const transport = createWebTransport({
      baseUrl: "http://edge",
      fetch: async (input, init) =>
        edge.request(new Request(input, init), undefined, { remote: "127.0.0.1" }),
    });
    const leaving = new AbortController();
    const stream = createClient(JobService, transport).watchJobLog(
      { jobId: String(jobId) },
      { signal: leaving.signal },
    );
    const texts: string[] = [];
    await expect(
      (async () => {
        for await (const { lines } of stream) {
          texts.push(...lines.map(({ text }) => text));
          leaving.abort();
        }
      })(),
    ).rejects.toMatchObject({ code: Code.Canceled });
    expect(texts).toEqual(["seen at the edge"]);
  });
});
