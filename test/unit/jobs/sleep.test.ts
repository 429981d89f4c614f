import { expect, test } from "vitest";
import { PermanentError } from "../../../src/jobs/define-jobs.ts";
import { sleep } from "../../../src/jobs/sleep.ts";
import { contextOf } from "../../fixtures/handler-context.ts";

function run(payload: unknown): Promise<{ sleptMs: number }> {
  const job = { id: "1", name: "n", handler: "sleep", payload, payloadText: JSON.stringify(payload) };
  return sleep(job, contextOf());
}

test.each([[5], [{ ms: 5 }]])("payload %j sleeps five milliseconds", async (payload) => {
  expect(await run(payload)).toEqual({ sleptMs: 5 });
});

test.each([
  ["5", 'payload: is "5"; a number of milliseconds'],
  [-1, "payload: is -1; a number of milliseconds"],
  [[5], "payload: is [5]; a number of milliseconds"],
  [true, "payload: is true; a number of milliseconds"],
  [{ ms: "5" }, 'payload.ms: is "5"; a number of milliseconds'],
  [{ ms: null }, "payload.ms: is null; a number of milliseconds"],
])("payload %j is refused for good, by a message that says what is accepted", async (payload, message) => {
  await expect(run(payload)).rejects.toThrow(message);
  await expect(run(payload)).rejects.toBeInstanceOf(PermanentError);
});
