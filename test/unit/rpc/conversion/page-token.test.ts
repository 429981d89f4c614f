import fc from "fast-check";
import { expect, test } from "vitest";
import { isError } from "../../../../src/core/errors.ts";
import {
  handlersPageToken,
  jobsPageToken,
  readHandlersPageToken,
  readJobsPageToken,
  readResultsPageToken,
  resultsPageToken,
} from "../../../../src/rpc/conversion/page-token.ts";

const FILTER = { status: 1, handler: "echo", namePrefix: "" };

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (isError(error, "invalid_argument")) return error.message;
    throw error;
  }
  return "accepted";
}

test("a token comes back as the position that it was made of", () => {
  const ids = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const property = fc.property(ids, fc.nat(), fc.boolean(), (jobId, claim, late) => {
    expect(readJobsPageToken(jobsPageToken(FILTER, jobId), FILTER)).toBe(jobId);
    const key = { jobId, claim, late };
    expect(readResultsPageToken(resultsPageToken({}, key), {})).toEqual(key);
  });
  fc.assert(property);
  expect(readHandlersPageToken(handlersPageToken("a.b/c:d-$_"))).toBe("a.b/c:d-$_");
  const longest = "x".repeat(128);
  expect(readHandlersPageToken(handlersPageToken(longest))).toBe(longest);
});

test("no token is the first page", () => {
  expect(readJobsPageToken("", FILTER)).toBeNull();
  expect(readResultsPageToken("", {})).toBeNull();
  expect(readHandlersPageToken("")).toBe("");
});

test("the order in which filters are named does not matter, nor do those that are not given", () => {
  const token = jobsPageToken(FILTER, 5);
  expect(readJobsPageToken(token, { namePrefix: "", handler: "echo", status: 1, other: undefined })).toBe(5);
});

test("a token of other filters, or of another list, is refused", () => {
  const token = jobsPageToken(FILTER, 5);
  expect(refusal(() => readJobsPageToken(token, { ...FILTER, handler: "other" }))).toMatch(/^pageToken: /);
  expect(refusal(() => readResultsPageToken(token, FILTER))).toMatch(/^pageToken: /);
});

test("a token with any character changed, added or left out is refused", () => {
  const token = jobsPageToken(FILTER, 123_456);
  const alphabet = fc.constantFrom(..."ABCXYZabcxyz0189-_=+/. %é");
  const property = fc.property(fc.nat(token.length), fc.nat(1), fc.option(alphabet), (at, remove, insert) => {
    const changed = token.slice(0, at) + (insert ?? "") + token.slice(at + remove);
    fc.pre(changed !== token && changed !== "");
    expect(refusal(() => readJobsPageToken(changed, FILTER))).toMatch(
      /^pageToken: .* is not a token of this list/,
    );
  });
  fc.assert(property, { numRuns: 500 });
});

test("a token that is far too long is refused without being read", () => {
  expect(refusal(() => readJobsPageToken("A".repeat(5_000_000), FILTER)).length).toBeLessThan(300);
});
