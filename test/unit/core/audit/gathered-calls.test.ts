import { expect, test } from "vitest";
import { AuditIds } from "../../../../src/core/audit/audit-ids.ts";
import { GatheredCalls } from "../../../../src/core/audit/gathered-calls.ts";

const caller = (name: string, address = "10.0.0.1") => ({ name, address, forwardedFor: "" });
const add = (name: string, address?: string, first: number | null = null, last = first) => ({
  caller: caller(name, address),
  method: "AddJobs",
  outcome: "ok",
  count: 1,
  firstJobId: first,
  lastJobId: last,
});

test("calls of one caller are one record, with the lowest and the highest id, and how many", () => {
  const gathered = new GatheredCalls(10);
  gathered.add(add("a", "::1", 7, 9), ["echo"]);
  gathered.add(add("b", "::1"));
  gathered.add(add("a", "::1", 3, 4), ["echo", "http"]);
  gathered.add(add("a", "::1"));
  gathered.add({ ...add("a", "::1"), outcome: "permission_denied", count: 5 });
  expect(gathered.take()).toEqual([
    { ...add("a", "::1"), count: 3, firstJobId: 3, lastJobId: 9, detail: "echo, http" },
    { ...add("b", "::1"), detail: "" },
    { ...add("a", "::1"), outcome: "permission_denied", count: 5, detail: "" },
  ]);
  expect(gathered.take()).toEqual([]);
});

test("a million calls from everywhere are as many records as were allowed, and every call counts", () => {
  const gathered = new GatheredCalls(10);
  for (let call = 0; call < 1_000_000; call++) gathered.add(add(`name-${call % 1_000}`, `10.0.${call}`));
  const records = gathered.take();
  expect(records).toHaveLength(21);
  expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(1_000_000);
  expect(records.at(10)?.caller).toEqual({ name: "name-10", address: "several", forwardedFor: "" });
  expect(records.at(20)).toMatchObject({ caller: { name: "several callers", address: "several" } });
});

test("one who was there before many others came keeps his record", () => {
  const gathered = new GatheredCalls(2);
  for (const name of ["a", "b", "c", "d", "e", "f", "a"]) gathered.add(add(name, "::1"));
  expect(gathered.take().map((one) => `${one.caller.name} ${one.caller.address} ${one.count}`)).toEqual([
    "a ::1 2",
    "b ::1 1",
    "c several 1",
    "d several 1",
    "several callers several 2",
  ]);
});

test("words of a record are few and short", () => {
  const gathered = new GatheredCalls(2);
  const words = Array.from({ length: 1_000 }, (_, index) => `${index}-${"x".repeat(1_000)}`);
  gathered.add(add("a"), words);
  const [{ detail } = { detail: "" }] = gathered.take();
  expect(detail).toMatch(/^0-x{38}…, 1-.* and others$/);
  expect(detail.length).toBeLessThan(300);
});

test("ids of a process go up, and fit into a number", () => {
  const ids = new AuditIds({ next: () => 1 - 2 ** -53, id: () => "" });
  const [first, second] = [ids.next(), ids.next()];
  expect(second).toBe(first + 1);
  expect(Number.isSafeInteger(second)).toBe(true);
});
