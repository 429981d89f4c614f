import { afterAll, beforeAll, expect, test } from "vitest";
import { recordingLogger } from "../../fixtures/recording-logger.ts";
import { type PoolRig, startRig } from "./pool-rig.ts";

const logger = recordingLogger();
let rig: PoolRig;
beforeAll(async () => {
  rig = await startRig({ handlersUrl: new URL("./handlers/contract.ts", import.meta.url).href, logger });
});
afterAll(() => rig.stop());

const run = (handler: string, payload?: unknown) =>
  rig.run(handler, { payload: payload === undefined ? null : JSON.stringify(payload) }).end;

test("a handler is given what the schema makes of the payload, and its output is what the schema makes of that", async () => {
  expect(await run("greet", { name: "you", at: "2026-03-28T00:00:00Z" })).toEqual({
    kind: "succeeded",
    output: '{"hello":"you you","year":2026,"at":"2026-03-28T00:00:00.000Z","shown":true}',
  });
});

test.each([
  [{ at: 0 }, /^greet: payload\.name: .*string/],
  [{ name: "you", at: "soon", times: "2" }, /^greet: payload\.times: .*number.*; payload\.at: .*date/],
  [undefined, /^greet: payload: .*object/],
])("payload %j fails the job for good, with path and reason", async (payload, message) => {
  expect(await run("greet", payload)).toMatchObject({
    kind: "failed",
    isPermanent: true,
    error: { name: "PayloadError", message: expect.stringMatching(message) },
  });
});

test("a return that does not fit fails the job for good: its work is done", async () => {
  expect(await run("misreturns", { items: [1, "2"] })).toMatchObject({
    kind: "failed",
    isPermanent: true,
    error: { name: "OutputError", message: expect.stringMatching(/^misreturns: output\.items\.1: .*number/) },
  });
});

test("a schema that throws fails the attempt before the handler is called, and is told with its cause", async () => {
  expect(await run("broken", 1)).toMatchObject({
    kind: "failed",
    isPermanent: false,
    error: {
      name: "SchemaError",
      message: "broken: the schema of payload threw TypeError: no such table",
      stack: expect.stringContaining("caused by: TypeError: no such table"),
    },
  });
});

test("an output's schema that throws fails the job for good", async () => {
  expect(await run("brokenOutput")).toMatchObject({
    kind: "failed",
    isPermanent: true,
    error: {
      name: "SchemaError",
      message: "brokenOutput: the schema of output threw TypeError: no such table",
    },
  });
});

test("a schema that never answers fails the attempt", async () => {
  expect(await run("silent", 1)).toMatchObject({
    kind: "failed",
    isPermanent: false,
    error: { name: "SchemaError", message: "silent: the schema of payload has not answered within 5000 ms" },
  });
});

test("a schema that never answers ends with its attempt's deadline, and keeps its thread", async () => {
  expect(await rig.run("silent", { timeoutMs: 20 }).end).toEqual({ kind: "timed_out" });
  expect(await run("context", 1)).toMatchObject({ kind: "succeeded" });
  expect(logger.lines.filter(({ message }) => message.includes("ignores its abort"))).toEqual([]);
});

test("the context has the job, and all else that there is", async () => {
  const { end, jobId } = rig.run("context", { payload: "[1]", attempt: 3 });
  const job = { id: String(jobId), name: "context", handler: "context", payload: [1], payloadText: "[1]" };
  expect(await end).toEqual({
    kind: "succeeded",
    output: JSON.stringify({ payload: [1], job, attempt: 3, isAborted: false }),
  });
});

test("the pool tells the handlers' schemas, and which are too large for that", () => {
  const told = rig.pool.schemas.map(({ handler, payload, output }) => [
    handler,
    payload !== "",
    output !== "",
  ]);
  expect(told).toEqual([
    ["greet", true, true],
    ["misreturns", false, true],
  ]);
  expect(logger.lines).toContainEqual({
    level: "warn",
    message: "HANDLERS: schemas that are too large are told to nobody",
    fields: { schemasLeftOut: [expect.stringMatching(/^large\.payload \(7\d{4} bytes\)$/)] },
  });
});
