import { expect, test } from "vitest";
import { WakeableQueue } from "../../../../src/core/flow/wakeable-queue.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Reads all there is, as fast as it comes. */
function reading(queue: WakeableQueue<string>) {
  const read: string[] = [];
  const done = (async () => {
    for await (const item of queue) read.push(item);
  })();
  return { read, done };
}

test("the reader gets what was pushed before it came and while it sleeps, in order", async () => {
  const queue = new WakeableQueue<string>();
  queue.push("a");
  queue.push("a");
  const { read } = reading(queue);
  await turn();
  expect(read).toEqual(["a", "a"]);
  queue.push("b");
  queue.push("c");
  await turn();
  expect(read).toEqual(["a", "a", "b", "c"]);
});

test("it knows how much the reader has not taken", async () => {
  const queue = new WakeableQueue<string>();
  queue.push("a", 10);
  queue.push("b", 5);
  expect([queue.count, queue.size]).toEqual([2, 15]);
  const reader = queue[Symbol.asyncIterator]();
  expect((await reader.next()).value).toBe("a");
  expect([queue.count, queue.size]).toEqual([1, 5]);
});

test("what is removed is never read, and what was read is removed no more", async () => {
  const queue = new WakeableQueue<string>();
  const [a, b] = [queue.push("a", 1), queue.push("b", 2)];
  queue.push("c", 4);
  const reader = queue[Symbol.asyncIterator]();
  expect((await reader.next()).value).toBe("a");
  queue.remove(a);
  queue.remove(b);
  expect(queue.size).toBe(4);
  expect((await reader.next()).value).toBe("c");
});

test("a reader of a closed queue gets what waits, and then ends", async () => {
  const queue = new WakeableQueue<string>();
  queue.push("a");
  queue.close();
  queue.push("too late");
  const { read, done } = reading(queue);
  await done;
  expect(read).toEqual(["a"]);
});

test("a reader that sleeps is woken by the end, and told so", async () => {
  const queue = new WakeableQueue<string>();
  const { done } = reading(queue);
  await turn();
  expect(queue.end()).toBe(true);
  await done;
});

test("the end drops what a reader has not taken that stands elsewhere", async () => {
  const queue = new WakeableQueue<string>();
  queue.push("a", 1);
  queue.push("b", 1);
  const reader = queue[Symbol.asyncIterator]();
  await reader.next();
  expect(queue.end()).toBe(false);
  expect(queue.size).toBe(0);
  expect((await reader.next()).done).toBe(true);
});
