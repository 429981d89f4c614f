import { expect, test } from "vitest";
import { LateAbort } from "../../../src/node/late-abort.ts";

test("a signal that is asked for after the abort is aborted, with the first reason", () => {
  const abort = new LateAbort();
  abort.abort("first");
  abort.abort("second");
  expect(abort.signal).toMatchObject({ aborted: true, reason: "first" });
});

test("a signal that was asked for before hears the abort, and is always the same", () => {
  const abort = new LateAbort();
  const { signal } = abort;
  expect(signal.aborted).toBe(false);
  abort.abort("reason");
  expect(signal).toMatchObject({ aborted: true, reason: "reason" });
  expect(abort.signal).toBe(signal);
});
