import { setTimeout as sleep } from "node:timers/promises";

/** Waits until the condition holds; fails with its name when that takes too long. */
export async function until(
  name: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const startedAt = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedAt > limitMs) throw new Error(`${name}: not within ${limitMs} ms`);
    await sleep(10);
  }
}
