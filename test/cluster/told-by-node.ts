/** What a node tells its operators: by its probe, and in its log. */
import { until } from "../fixtures/until.ts";
import type { NodeProcess } from "./node-process.ts";

const LIMIT_MS = 30_000;

/** What its probe says; empty: it is ready. */
export async function reasonOf({ url }: NodeProcess): Promise<string> {
  const answer = await fetch(`${url}/readyz`);
  if (answer.ok) return "";
  return ((await answer.json()) as { message: string }).message;
}

export function untilReason(node: NodeProcess, words: RegExp): Promise<void> {
  return until(`its reason is ${words}`, async () => words.test(await reasonOf(node)), LIMIT_MS);
}

export function untilReady(node: NodeProcess): Promise<void> {
  return untilReason(node, /^$/);
}

/** `since`: how many lines there were before. */
export function linesOf({ log }: NodeProcess, words: RegExp, since = 0): string[] {
  return log.slice(since).filter((line) => words.test(line));
}

export function untilLogged(node: NodeProcess, words: RegExp, since = 0): Promise<void> {
  return until(`it logs ${words}`, () => linesOf(node, words, since).length > 0, LIMIT_MS);
}
