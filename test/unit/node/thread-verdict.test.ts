import { expect, test } from "vitest";
import { endIn, partIn, verdictOnError } from "../../../src/node/thread-verdict.ts";

const outOfMemory = Object.assign(new Error("Worker terminated due to reaching memory limit"), {
  code: "ERR_WORKER_OUT_OF_MEMORY",
});

test("a job that took all the memory of its thread has failed, and its neighbours are handed back", () => {
  const verdict = verdictOnError(outOfMemory, 7);
  expect(partIn(verdict, 7, true)).toBe("culprit");
  expect(endIn(verdict, "culprit", false)).toMatchObject({
    kind: "failed",
    isPermanent: false,
    error: { name: "OutOfMemoryError", message: expect.stringContaining("memory") },
  });
  expect(endIn(verdict, partIn(verdict, 8, true), false)).toMatchObject({ kind: "lost", isBlameless: true });
});

test("where nobody knows whose memory it was, all that had begun may be to blame", () => {
  const verdict = verdictOnError(outOfMemory, null);
  expect(partIn(verdict, 7, true)).toBe("suspect");
  expect(endIn(verdict, "suspect", false)).toMatchObject({ kind: "lost", isBlameless: false });
  expect(partIn(verdict, 8, false)).toBe("none");
});

test("another error of a thread fails no job", () => {
  expect(endIn(verdictOnError(new Error("else"), 7), "suspect", false)).toMatchObject({ kind: "lost" });
});
