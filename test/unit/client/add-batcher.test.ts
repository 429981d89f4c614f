import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { AddBatcher, type AddBatcherOptions } from "../../../src/client/add-batcher.ts";
import type { TableJob } from "../../../src/client/encode-table.ts";
import type { AddedJob } from "../../../src/client/job-json.ts";
import { AddJobRequestSchema } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";

interface Sent {
  readonly jobs: readonly TableJob[];
  readonly timeoutMs: number;
  /** Each job is added, its payload being its id. */
  answer(): Promise<void>;
  fail(error: ConnectError): Promise<void>;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function start(options: Partial<AddBatcherOptions> = {}) {
  const sent: Sent[] = [];
  const batcher = new AddBatcher({
    send(jobs, timeoutMs) {
      const { promise, resolve, reject } = Promise.withResolvers<AddedJob[]>();
      sent.push({
        jobs,
        timeoutMs,
        answer() {
          resolve(jobs.map(({ payload }) => ({ jobId: payload, created: true, nextRunAt: "", reason: "" })));
          return turn();
        },
        fail(error) {
          reject(error);
          return turn();
        },
      });
      return promise;
    },
    timeoutMs: 10_000,
    maxBatchJobs: 1_000,
    maxBatchBytes: 1_000_000,
    maxQueuedBytes: 2_000_000,
    ...options,
  });
  let last = 0;
  const template = create(AddJobRequestSchema);
  const add = (size = 10) => batcher.add({ template, payload: String(++last), size });
  const addMany = (count: number) => Array.from({ length: count }, () => add());
  const sizes = () => sent.map(({ jobs }) => jobs.length);
  return { sent, add, addMany, sizes };
}

describe("a batcher of adds", () => {
  test("sends a lone add at once", async () => {
    const { sent, add, sizes } = start();
    const adding = add();
    await turn();
    expect(sizes()).toEqual([1]);
    await sent[0]?.answer();
    expect(await adding).toMatchObject({ jobId: "1" });
  });

  test("sends few that are made at once in one call", async () => {
    const { addMany, sizes } = start();
    void addMany(31);
    await turn();
    expect(sizes()).toEqual([31]);
  });

  test("shares a thousand that are made at once among two calls, and gives each its own answer", async () => {
    const { sent, addMany, sizes } = start();
    const adding = Promise.all(addMany(1_000));
    await turn();
    expect(sizes()).toEqual([500, 500]);
    for (const call of sent) await call.answer();
    const ids = (await adding).map(({ jobId }) => Number(jobId));
    expect(ids).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
    expect(sizes()).toHaveLength(2);
  });

  test("shares others alike, whatever their number, and leaves none over", async () => {
    const { sent, addMany, sizes } = start();
    void addMany(101);
    await turn();
    expect(sizes()).toEqual([51, 50]);
    await sent[0]?.answer();
    void addMany(47);
    await turn();
    expect(sizes()).toEqual([51, 50, 47]);
  });

  test("has two calls under way at most, and sends what waits as one of them ends, in order", async () => {
    const { sent, addMany, sizes } = start({ maxBatchJobs: 100 });
    const adding = Promise.all(addMany(350));
    await turn();
    expect(sizes()).toEqual([100, 100]);
    await sent[1]?.answer();
    expect(sizes()).toEqual([100, 100, 100]);
    expect(sent[2]?.jobs[0]?.payload).toBe("201");
    await sent[0]?.answer();
    expect(sizes()).toEqual([100, 100, 100, 50]);
    for (const call of sent) await call.answer();
    await adding;
  });

  test("keeps few for the next call while one is under way, and sends many on a second", async () => {
    const { sent, add, addMany, sizes } = start();
    void add();
    await turn();
    void addMany(31);
    await turn();
    expect(sizes()).toEqual([1]);
    void add();
    await turn();
    expect(sizes()).toEqual([1, 32]);
    void addMany(3);
    await sent[0]?.answer();
    expect(sizes()).toEqual([1, 32]);
    await sent[1]?.answer();
    expect(sizes()).toEqual([1, 32, 3]);
  });

  test("splits by bytes, but sends a job that is larger than a batch", async () => {
    const { sent, add, sizes } = start({ maxBatchBytes: 100 });
    const adding = Promise.all([add(60), add(60), add(1_000), add(60)]);
    await turn();
    for (let i = 0; i < 4; i++) await sent[i]?.answer();
    await adding;
    expect(sizes()).toEqual([1, 1, 1, 1]);
  });

  test("fails only the adds of a call that fails", async () => {
    const { sent, addMany } = start();
    const settling = Promise.allSettled(addMany(100));
    await turn();
    await sent[0]?.fail(new ConnectError("no", Code.Internal));
    await sent[1]?.answer();
    const statuses = (await settling).map(({ status }) => status);
    expect(statuses).toEqual([...Array(50).fill("rejected"), ...Array(50).fill("fulfilled")]);
  });

  test("gives a call the time that is left, and refuses what has waited too long", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const { sent, add } = start({ timeoutMs: 30 });
    const first = add();
    await turn();
    const late = add().catch(ConnectError.from);
    vi.advanceTimersByTime(35);
    await sent[0]?.answer();
    await expect(first).resolves.toMatchObject({ jobId: "1" });
    expect(await late).toMatchObject({ code: Code.DeadlineExceeded });
    expect(sent).toHaveLength(1);
    const third = add();
    await turn();
    expect(sent[1]?.timeoutMs).toBe(30);
    await sent[1]?.answer();
    await third;
  });

  test("refuses more than may wait", async () => {
    const { sent, add } = start({ maxQueuedBytes: 100 });
    const first = add();
    await turn();
    const waiting = [add(60), add(40)];
    await expect(add(1)).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: expect.stringContaining("100 bytes"),
    });
    await sent[0]?.answer();
    await sent[1]?.answer();
    await Promise.all([first, ...waiting]);
  });
});
