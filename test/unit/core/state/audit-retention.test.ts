import { expect, test } from "vitest";
import { KEEP_ALL_AUDIT, parseAuditRetention } from "../../../../src/core/state/audit-retention.ts";

const DAY_MS = 86_400_000;

test.each([
  ["", { ageMs: 90 * DAY_MS, rows: 1_000_000 }],
  ["age=1h", { ageMs: 3_600_000, rows: 1_000_000 }],
  [" rows = 1000 , ", { ageMs: 90 * DAY_MS, rows: 1_000 }],
  ["age=off,rows=off", KEEP_ALL_AUDIT],
  ["off", KEEP_ALL_AUDIT],
])("%j says how long records are kept", (text, retention) => {
  expect(parseAuditRetention(text)).toEqual({ retention, problems: [] });
});

test("all that is wrong is named", () => {
  const { problems } = parseAuditRetention("age=59m,rows=999,failed=7d,rows,age=1d");
  expect(problems.join("\n")).toMatch(
    /"rows" is not name=value, such as age=90d[\s\S]*age is given twice[\s\S]*age=59m: .*from 1h[\s\S]*rows=999: use a whole number from 1000[\s\S]*failed: there is no such part; use age, rows/,
  );
  expect(problems).toHaveLength(5);
});
