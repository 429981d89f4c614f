import { expect, test } from "vitest";
import { InFlight } from "../../../../src/master/memory/in-flight.ts";

/** Work that ends when the test says so. */
function work(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const run = () => {
    log.push(`${name} begins`);
    return promise;
  };
  return { run, end: () => resolve(name), fail: () => reject(new Error(name)) };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("writes about one job go one after another, in the order in which they came", async () => {
  const [inFlight, log] = [new InFlight(), [] as string[]];
  const [first, second, third] = [work(log, "first"), work(log, "second"), work(log, "third")];
  const all = Promise.all([first, second, third].map(({ run }) => inFlight.alone(1, run)));
  await turn();
  expect(log).toEqual(["first begins"]);
  first.end();
  await turn();
  expect(log).toEqual(["first begins", "second begins"]);
  second.end();
  third.end();
  expect(await all).toEqual(["first", "second", "third"]);
  expect(inFlight.has(1)).toBe(false);
});

test("writes about other jobs do not wait", async () => {
  const [inFlight, log] = [new InFlight(), [] as string[]];
  const [one, other] = [work(log, "one"), work(log, "other")];
  const both = Promise.all([inFlight.alone(1, one.run), inFlight.alone(2, other.run)]);
  await turn();
  expect(log).toEqual(["one begins", "other begins"]);
  one.end();
  other.end();
  await both;
});

test("a write that fails does not hold up the next", async () => {
  const [inFlight, log] = [new InFlight(), [] as string[]];
  const [bad, good] = [work(log, "bad"), work(log, "good")];
  const failing = inFlight.alone(1, bad.run);
  const next = inFlight.alone(1, good.run);
  bad.fail();
  await expect(failing).rejects.toThrow("bad");
  good.end();
  expect(await next).toBe("good");
});

test("is settled when no write is left, those that began meanwhile among them", async () => {
  const [inFlight, log] = [new InFlight(), [] as string[]];
  const [early, late] = [work(log, "early"), work(log, "late")];
  inFlight.mark([1, 2], early.run());
  const settled = inFlight.settled().then(() => log.push("settled"));
  inFlight.mark([3], late.run());
  early.end();
  await turn();
  expect([inFlight.has(1), inFlight.has(2), inFlight.has(3)]).toEqual([false, false, true]);
  expect(log).not.toContain("settled");
  late.end();
  await settled;
});

test("a job is free when its own write has ended, however that ended", async () => {
  const [inFlight, log] = [new InFlight(), [] as string[]];
  const [own, other] = [work(log, "own"), work(log, "other")];
  inFlight.mark([1], own.run());
  inFlight.mark([2], other.run());
  const free = inFlight.free(1);
  own.fail();
  await free;
  expect(inFlight.has(2)).toBe(true);
  other.end();
});
