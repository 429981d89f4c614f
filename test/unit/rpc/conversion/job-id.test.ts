import { expect, test } from "vitest";
import { jobIdFromString, jobIdToString } from "../../../../src/rpc/conversion/job-id.ts";

test("an id comes back as it was", () => {
  for (const id of [1, 42, Number.MAX_SAFE_INTEGER]) expect(jobIdFromString(jobIdToString(id))).toBe(id);
});

test.each(["", "0", "-1", "01", "1.0", "1e3", "abc", " 1", "9007199254740992", "99999999999999999999"])(
  "%j is refused by the field's name",
  (text) => {
    expect(() => jobIdFromString(text)).toThrow(/^jobId: /);
  },
);
