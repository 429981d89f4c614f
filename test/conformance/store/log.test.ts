/** What attempts said: kept once, read from where a reader stopped, and gone with the results. */
import { expect, test } from "vitest";
import type { LogLine } from "../../../src/core/log/log-line.ts";
import { describeStores, NOW, newIds, result } from "../../fixtures/store-fixture.ts";

function line(text: string, changes: Partial<LogLine> = {}): LogLine {
  return { at: NOW, level: "info", kind: "said", text, fields: null, ...changes };
}

const ODD = "it’s “odd”\n\0 \\' 漢字 😀\u001b[31m";

describeStores("what attempts said", (get) => {
  test("is read as it was written, however often it was, from the line where a reader stopped", async () => {
    const { store, other } = get();
    const [jobId = 0] = await newIds(get(), 1);
    const first = { jobId, claim: 3, first: 1, lines: [line(ODD), line("", { fields: '{"n":1}' })] };
    const second = {
      jobId,
      claim: 3,
      first: 3,
      lines: [
        line("last", { level: "error", kind: "printed" }),
        line("cut", { level: "warn", kind: "mark" }),
      ],
    };
    await store.writeLog([]);
    await store.writeLog([first]);
    await other.writeLog([second, first]);
    const all = [...first.lines, ...second.lines].map((one, index) => ({ ...one, sequence: index + 1 }));
    for (const after of [0, 1, 2, 3, 4, 100]) {
      expect(await store.readLog({ jobId, claim: 3 }, after)).toEqual(all.slice(after));
    }
    expect(await store.readLog({ jobId, claim: 2 }, 0)).toEqual([]);
  });

  test("is found by its newest claim", async () => {
    const { store } = get();
    const [jobId = 0] = await newIds(get(), 1);
    expect(await store.newestLogged(jobId)).toBeNull();
    await store.writeLog([2, 9, 4].map((claim) => ({ jobId, claim, first: 1, lines: [line("x")] })));
    expect(await store.newestLogged(jobId)).toBe(9);
    expect(await store.newestLogged(jobId + 1)).toBeNull();
  });

  test("can be as long as a log may be", async () => {
    const { store } = get();
    const [jobId = 0] = await newIds(get(), 1);
    const long = Array.from({ length: 32 }, () => line("\0".repeat(8_192)));
    await store.writeLog([1, 2].map((claim) => ({ jobId, claim, first: 1, lines: long })));
    expect(await store.readLog({ jobId, claim: 2 }, 31)).toEqual([{ ...long[0], sequence: 32 }]);
  });

  test("goes with its results, and not before", async () => {
    const under = get();
    const { store } = under;
    const [jobId = 0] = await newIds(under, 1);
    await store.writeResults([1, 2].map((claim) => result(jobId, claim, { endTime: NOW })));
    await store.writeLog([1, 2].map((claim) => ({ jobId, claim, first: 1, lines: [line("x")] })));
    await store.expireResults(under.epoch, [{ jobId, claim: 1 }], NOW);
    expect(await store.readLog({ jobId, claim: 1 }, 0)).toEqual([]);
    expect(await store.readLog({ jobId, claim: 2 }, 0)).toHaveLength(1);
    await store.expireResultsOfGone(under.epoch, [jobId], 100);
    expect(await store.newestLogged(jobId)).toBeNull();
  });
});
