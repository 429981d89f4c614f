import { describe, expect, test } from "vitest";
import { OUTCOME, type Outcome } from "../../../../src/core/job.ts";
import { ResultCounter } from "../../../../src/core/state/count-results.ts";
import { KEEP_ALL } from "../../../../src/core/state/retention.ts";

const HOUR_MS = 3_600_000;
const NOW = 1_760_000_000_000;
const { SUCCEEDED, FAILED, TIMED_OUT } = OUTCOME;

function claimOf(claim: number, outcome: Outcome = SUCCEEDED, fields: object = {}) {
  const endTime = NOW - 2 * HOUR_MS;
  return { jobId: 1, claim, outcome, endTime, lastEndTime: endTime, newestEnded: 1000, ...fields };
}

function counter(): ResultCounter {
  return new ResultCounter({ resultsEach: { ...KEEP_ALL.resultsEach, succeeded: 3, failed: 2 } });
}

function goneAfter(claims: readonly ReturnType<typeof claimOf>[], by = counter()): number[] {
  return claims.flatMap((claim) => by.take(claim, NOW)?.claim ?? []);
}

describe("results that are kept by their number", () => {
  test("are the newest of each outcome", () => {
    const claims = [1, 2, 3, 4, 5, 6, 7, 8].map((claim) =>
      claimOf(claim, claim % 2 === 0 ? FAILED : SUCCEEDED),
    );
    expect(goneAfter(claims)).toEqual([2, 1, 4]);
  });

  test("are FAILED ones also where they timed out, and all of an outcome without a number", () => {
    expect(goneAfter([claimOf(1, FAILED), claimOf(2, TIMED_OUT), claimOf(3, FAILED)])).toEqual([1]);
    expect(goneAfter([1, 2, 3, 4, 5].map((claim) => claimOf(claim, OUTCOME.SKIPPED)))).toEqual([]);
  });

  test("are counted for each job by itself", () => {
    const claims = [1, 2].flatMap((jobId) => [1, 2, 3].map((claim) => claimOf(claim, SUCCEEDED, { jobId })));
    expect(goneAfter(claims)).toEqual([]);
  });

  test("do not go within an hour, nor while they show how their job stands", () => {
    const young = { lastEndTime: NOW - HOUR_MS };
    expect(goneAfter([claimOf(1, FAILED, young), claimOf(2, FAILED), claimOf(3, FAILED)])).toEqual([]);
    const shown = { newestEnded: 1 };
    expect(goneAfter([claimOf(1, FAILED, shown), claimOf(2, FAILED), claimOf(3, FAILED)])).toEqual([]);
  });

  test("count once, though a page is read again after an error", () => {
    const by = counter();
    const page = [claimOf(1), claimOf(2), claimOf(3)];
    expect(goneAfter([...page, ...page, ...page], by)).toEqual([]);
    expect(goneAfter([claimOf(4)], by)).toEqual([1]);
  });
});
