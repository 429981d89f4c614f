import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { createClient } from "../../../src/client/client.ts";
import { JobResultError } from "../../../src/client/job-result.ts";
import { createClient as createLazily } from "../../../src/client/lazy-client.ts";
import { defineContract } from "../../../src/contract/contract.ts";
import { CONTRACTS, zodContract } from "../../fixtures/contracts.ts";
import { type SmallJobServer, startSmallJobServer } from "../../fixtures/small-job-server.ts";

let server: SmallJobServer;
beforeEach(async () => {
  server = await startSmallJobServer();
});
afterEach(() => server.close());

const contract = defineContract({
  ...zodContract,
  slow: {},
  fail: {},
  never: {
    payload: { "~standard": { version: 1, vendor: "test", validate: () => new Promise(() => {}) } },
  },
});
const AT = new Date("2026-03-28T00:00:00Z");
const FITS = { name: "you", at: AT };
/** As JavaScript may give it. */
const UNFIT = { name: 5, at: AT } as never;

const refusal = async (adding: Promise<unknown>) => {
  const error: unknown = await adding.catch((reason: unknown) => reason);
  if (!(error instanceof ConnectError)) throw new Error(`it was not refused: ${String(error)}`);
  return [Code[error.code], error.rawMessage];
};
const stored = () =>
  [...server.jobs.values()].map(({ payload }) => payload && JSON.parse(JSON.stringify(payload)));

describe.each(Object.entries(CONTRACTS))("a contract by %s", (_, each) => {
  test("lets through what fits, as it was given, and refuses what does not by its path", async () => {
    const client = createClient({ baseUrl: server.url, contract: each });
    const payload = { name: "you", at: AT.toISOString() };
    const { jobId } = await client.add("greet", payload, { name: "a greeting" });
    const { job } = await client.getJobStatus(jobId);
    // Without the default, which the node puts in.
    expect(job).toMatchObject({ handler: "greet", name: "a greeting", payload });
    expect(job.payload).not.toHaveProperty("times");
    expect(await refusal(client.add("greet", { ...payload, times: "2" as never }))).toEqual([
      "InvalidArgument",
      expect.stringMatching(/^greet: payload\.times: .*number/),
    ]);
    expect(server.jobs.size).toBe(1);
  });
});

describe.each([
  ["at once", createClient],
  ["when it is first called", createLazily],
])("a client that is loaded %s", (_, create) => {
  const connect = () => create({ baseUrl: server.url, contract });

  test("checks what the handler will be given: what has been JSON", async () => {
    const strict = defineContract({ greet: { payload: z.object({ at: z.date() }) } });
    const client = create({ baseUrl: server.url, contract: strict });
    expect(await refusal(client.add("greet", { at: AT }))).toEqual([
      "InvalidArgument",
      expect.stringMatching(/^greet: payload\.at: .*date/),
    ]);
    await connect().add("greet", FITS);
    expect(server.jobs.size).toBe(1);
  });

  test("refuses a handler that the contract has not, with the one that was meant", async () => {
    expect(await refusal(connect().add("gret" as never, FITS as never))).toEqual([
      "InvalidArgument",
      'handler: "gret" is not in the contract; "greet" is',
    ]);
  });

  test("checks in every way to add, and leaves other handlers alone", async () => {
    const client = connect();
    const wrong = ["InvalidArgument", expect.stringMatching(/^greet: payload\.name: /)];
    expect(await refusal(client.addJob({ handler: "greet", payload: UNFIT }))).toEqual(wrong);
    expect(await refusal(client.addJob({ handler: "greet", payloadJson: '{"name":5,"at":0}' }))).toEqual(
      wrong,
    );
    expect(await refusal(client.putJob("k", { handler: "greet", payload: UNFIT }))).toEqual(wrong);
    expect(
      await refusal(
        client.updateJob({ jobId: "1", job: { handler: "greet", payload: UNFIT }, updateMask: "payload" }),
      ),
    ).toEqual(wrong);
    await client.addJob({ handler: "echo", payload: { name: 5 } });
    await client.addJob({ handler: "greet", payloadJson: '{"name":"you","at":0}' });
    expect(server.jobs.size).toBe(2);
  });

  test("of many jobs, refuses those that do not fit in their places", async () => {
    const outcomes = await connect().addJobs([
      { handler: "greet", payload: UNFIT },
      { handler: "greet", payload: { ...FITS, at: AT.toISOString() } },
      { handler: "unknown" },
      { handler: "greet" },
    ]);
    expect(
      outcomes.map((outcome) => ("added" in outcome ? outcome.added.jobId : outcome.error.rawMessage)),
    ).toEqual([
      expect.stringMatching(/^greet: payload\.name: /),
      "1",
      'handler: no node offers "unknown"',
      expect.stringMatching(/^greet: payload: /),
    ]);
  });

  test("leaves a payload with a secret to the node, which has it", async () => {
    await connect().addJob({ handler: "greet", payload: { name: { $secret: "who" }, at: 0 } });
    expect(stored()).toHaveLength(1);
  });

  test("does not wait for a schema for longer than a call may take", async () => {
    const client = create({ baseUrl: server.url, contract, timeoutMs: 20 });
    expect(await refusal(client.add("never"))).toEqual([
      "Internal",
      "never: the schema of payload has not answered within 20 ms",
    ]);
    const stop = new AbortController();
    const adding = client.putJob("k", { handler: "never" }, { signal: stop.signal, timeoutMs: 20_000 });
    stop.abort();
    expect(await refusal(adding)).toEqual(["Canceled", expect.stringMatching(/when it was aborted$/)]);
  });

  test("gives a job's output as its result", async () => {
    const adding = connect().add("greet", FITS);
    expect(await adding.result()).toEqual({ name: "you", at: AT.toISOString() });
    expect(await adding).toMatchObject({ jobId: "1", created: true });
  });

  test("rejects with how the job has ended, where that is no success", async () => {
    const error: unknown = await connect()
      .add("fail")
      .result()
      .catch((reason: unknown) => reason);
    if (!(error instanceof JobResultError)) throw new Error(String(error));
    expect(error.message).toBe("job 1 ended FAILED: TypeError: no\nluck");
    expect(error).toMatchObject({
      name: "JobResultError",
      jobId: "1",
      outcome: "OUTCOME_FAILED",
      error: { name: "TypeError", message: "no\nluck" },
    });
  });

  test("rejects with why a job was not added, once", async () => {
    expect(await refusal(connect().add("greet", UNFIT).result())).toEqual([
      "InvalidArgument",
      expect.stringMatching(/^greet: payload\.name/),
    ]);
  });

  test("waits no longer than it is asked to, and not after an abort", async () => {
    const adding = connect().add("slow");
    expect(await refusal(adding.result({ timeoutMs: 50 }))).toEqual([
      "DeadlineExceeded",
      "job 1 has not ended within 50 ms, and is RUNNING",
    ]);
    const stop = new AbortController();
    const result = adding.result({ signal: stop.signal });
    stop.abort();
    expect(await refusal(result)).toEqual(["Canceled", expect.any(String)]);
    expect(await refusal(adding.result({ timeoutMs: 0 }))).toEqual([
      "InvalidArgument",
      "timeoutMs: is 0; milliseconds above 0 are accepted",
    ]);
    await expect.poll(() => server.watchSignals.every(({ aborted }) => aborted)).toBe(true);
  });

  test("has no one result for a job that comes again", async () => {
    const adding = connect().add("slow", null, { cron: { expression: "0 3 * * *" } });
    expect(await refusal(adding.result())).toEqual([
      "InvalidArgument",
      "job 1 runs again and again: eachResult lists its results, and watchJob tells of each",
    ]);
  });

  test("is not made of what is no contract", () => {
    expect(() => create({ baseUrl: server.url, contract: { greet: 5 } as never })).toThrow(
      /^createClient: greet must be an object/,
    );
  });
});

test("without a contract any handler can be added for, and has a result", async () => {
  const client = createClient({ baseUrl: server.url });
  expect(await client.add("echo", { n: 1 }).result()).toEqual({ n: 1 });
});
