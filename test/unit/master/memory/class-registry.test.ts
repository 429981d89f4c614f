import { afterEach, beforeEach, expect, test } from "vitest";
import type { JobClass } from "../../../../src/core/job.ts";
import { ClassRegistry, isSameClass } from "../../../../src/master/memory/class-registry.ts";
import type { JobStore } from "../../../../src/store/job-store.ts";
import { specOf } from "../../../fixtures/job-fixture.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";

let opened: Awaited<ReturnType<typeof openTestStore>>;
beforeEach(async () => {
  opened = await openTestStore();
});
afterEach(() => opened.close());

const requiring = (handler: string, labels: Record<string, string> = {}) =>
  specOf({ handler, requirements: { slots: 1, memoryMb: 0, labels } });

function start(store: JobStore) {
  const added: JobClass[] = [];
  return { added, classes: new ClassRegistry(masterContext({ store }), (one) => added.push(one)) };
}

test("one handler and the same labels are one class, in whatever order they are named", async () => {
  const { classes, added } = start(opened.store);
  const one = await classes.findOrAdd(requiring("echo", { gpu: "true", zone: "a" }));
  expect(await classes.findOrAdd(requiring("echo", { zone: "a", gpu: "true" }))).toBe(one);
  const others = [
    requiring("echo"),
    requiring("echo", { gpu: "false", zone: "a" }),
    requiring("fail", one.labels),
  ];
  for (const spec of others) expect((await classes.findOrAdd(spec)).id).not.toBe(one.id);
  expect(added).toHaveLength(4);
  expect(isSameClass(requiring("a", { x: "1", y: "2" }), requiring("a", { y: "2", x: "1" }))).toBe(true);
  expect(isSameClass(requiring("a", { x: "1" }), requiring("a", { x: "2" }))).toBe(false);
});

test("two jobs of a new class at once make one class", async () => {
  const { classes, added } = start(opened.store);
  const [one, other] = await Promise.all([
    classes.findOrAdd(requiring("echo")),
    classes.findOrAdd(requiring("echo")),
  ]);
  expect(one).toBe(other);
  expect(added).toEqual([one]);
  expect(await opened.store.readClasses()).toEqual([one]);
});

test("the next master knows them, and goes on with numbers that are free", async () => {
  const before = await start(opened.store).classes.findOrAdd(requiring("echo", { gpu: "true" }));
  const { classes, added } = start(opened.store);
  await classes.load();
  expect(classes.find(requiring("echo", { gpu: "true" }))).toEqual(before);
  expect(added).toEqual([]);
  expect((await classes.findOrAdd(requiring("fail"))).id).toBeGreaterThan(before.id);
});

test("a class whose write failed is not taken for known, and is added when it is asked for again", async () => {
  const { addClass } = opened.store;
  let failing = 1;
  opened.store.addClass = async (...asked) => {
    if (failing-- > 0) throw new Error("no answer");
    return addClass.apply(opened.store, asked);
  };
  const { classes, added } = start(opened.store);
  await expect(classes.findOrAdd(requiring("echo"))).rejects.toThrow("no answer");
  expect(classes.find(requiring("echo"))).toBeUndefined();
  expect([await classes.findOrAdd(requiring("echo"))]).toEqual(added);
});
