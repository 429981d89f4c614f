import { describe, expect, test } from "vitest";
import { hasDone, mendTable, tableRefusalIn } from "../../../../src/store/mysql/table-refusal.ts";

describe("what a server says of a table", () => {
  test.each([
    ["INSERT command denied to user 'node'@'10.0.0.7' for table 'jobaudit'", "jobaudit", ["INSERT"]],
    [
      "INSERT, UPDATE command denied to user 'node'@'10.0.0.7' for table `jobs`.`jobaudit`",
      "jobaudit",
      ["INSERT", "UPDATE"],
    ],
    ["UPDATE command denied to user 'n'@'%' for column 'at' in table 'jobinfo'", "jobinfo", ["UPDATE"]],
    ["Table 'jobs.jobresult' doesn't exist", "jobresult", null],
    ["Table 'my.jobs.jobresult' doesn't exist in engine", "jobresult", null],
  ])("is understood: %s", (said, table, rights) => {
    expect(tableRefusalIn(said)).toEqual({ table, rights });
  });

  test("in another language is not", () => {
    expect(tableRefusalIn("Tabelle 'jobs.jobinfo' existiert nicht")).toBeNull();
    expect(mendTable(null)).toContain("docs/operating.md");
  });
});

test.each([
  ["INSERT INTO jobaudit (at, id) VALUES (?, ?)", ["INSERT"], true],
  ["INSERT INTO jobaudit (at, id) VALUES (?, ?)", ["INSERT", "UPDATE"], false],
  ["INSERT INTO jobaudit (at) VALUES (?)\n ON DUPLICATE KEY UPDATE id = id", ["INSERT", "UPDATE"], true],
  ["UPDATE jobaudit SET at = ?", ["UPDATE"], true],
  ["UPDATE jobauditor SET at = ?", ["UPDATE"], false],
  ["DELETE jobaudit FROM jobaudit WHERE at < ?", ["DELETE"], true],
  ["SELECT at FROM jobaudit", ["DELETE"], false],
  ["SELECT at FROM jobaudit", ["SELECT"], true],
  ["SELECT at FROM jobaudit", null, true],
  ["SELECT at FROM jobinfo", null, false],
])("%s does what needs %j: %s", (sql, rights, expected) => {
  expect(hasDone(sql, { table: "jobaudit", rights })).toBe(expected);
});

test("what only migrations need is for migrate, and not for nodes", () => {
  const created = tableRefusalIn("CREATE command denied to user 'node'@'%' for table `jobs`.`jobschema`");
  expect(mendTable(created)).toBe("run elastic-job migrate with an account that may do that");
  expect(mendTable({ table: "jobaudit", rights: ["INSERT", "UPDATE"] })).toBe(
    "grant this account INSERT, UPDATE on jobaudit",
  );
});
