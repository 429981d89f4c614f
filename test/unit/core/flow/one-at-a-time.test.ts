import { expect, test } from "vitest";
import { OneAtATime } from "../../../../src/core/flow/one-at-a-time.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Work that says when it begins and ends, and ends when it is told to. */
function rig() {
  const log: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    const end = Promise.withResolvers<void>();
    ends.set(name, end);
    await end.promise;
    log.push(`${name} ends`);
    return name;
  };
  const end = (name: string, error?: Error) => {
    if (error === undefined) ends.get(name)?.resolve();
    else ends.get(name)?.reject(error);
    return turn();
  };
  return { log, work, end };
}

test("work begins at once where nothing is under way for its key", () => {
  const { log, work } = rig();
  const keys = new OneAtATime<string>();
  void keys.alone("a", work("one"));
  void keys.alone("b", work("other"));
  expect(log).toEqual(["one begins", "other begins"]);
  expect(keys.has("a")).toBe(true);
  expect(keys.has("c")).toBe(false);
});

test("of many that wait for a key one at a time runs, also after one that failed", async () => {
  const { log, work, end } = rig();
  const keys = new OneAtATime<string>();
  const first = keys.alone("a", work("first"));
  const others = ["second", "third"].map((name) => keys.alone("a", work(name)));
  await turn();
  expect(log).toEqual(["first begins"]);
  void end("first", new Error("no"));
  await expect(first).rejects.toThrow("no");
  await turn();
  expect(log).toEqual(["first begins", "second begins"]);
  await end("second");
  await end("third");
  expect(await Promise.all(others)).toEqual(["second", "third"]);
  expect(log.slice(2)).toEqual(["second ends", "third begins", "third ends"]);
  expect(keys.has("a")).toBe(false);
});

test("those who share get one outcome, and the next who comes begins anew", async () => {
  const { log, work, end } = rig();
  const keys = new OneAtATime<string, string>();
  const shared = [keys.share("a", work("one")), keys.share("a", work("never"))];
  void end("one", new Error("no"));
  expect((await Promise.allSettled(shared)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  const again = keys.share("a", work("again"));
  await end("again");
  expect(await again).toBe("again");
  expect(log).toEqual(["one begins", "again begins", "again ends"]);
});

test("marked keys are taken until their work settles", async () => {
  const keys = new OneAtATime<number>();
  const marked = Promise.withResolvers<void>();
  keys.mark([1, 2], marked.promise);
  const other = Promise.withResolvers<void>();
  keys.mark([3], other.promise);
  const log: string[] = [];
  void keys.free(2).then(() => log.push("2 is free"));
  void keys.settled().then(() => log.push("all settled"));
  void keys.alone(1, async () => log.push("1 has its turn"));
  await turn();
  expect(log).toEqual([]);
  marked.reject(new Error("no"));
  await turn();
  expect(log.toSorted()).toEqual(["1 has its turn", "2 is free"]);
  other.resolve();
  await turn();
  expect(log.at(-1)).toBe("all settled");
});
