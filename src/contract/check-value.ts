/**
 * Checks a value by a schema that others have written: it may find it unfit, throw, answer nonsense, or never answer. What comes
 * of it is a value, for nodes and clients to tell in their own ways. Only what the schema does at once, without an end, nobody
 * here can stop.
 */

import { shorten } from "../core/short-text.ts";
import type { SchemaIssue, StandardSchema } from "./standard-schema.ts";

export type Checked =
  | { readonly kind: "fits" /** What the schema makes of it. */; readonly value: unknown }
  /** `problem`: path and reason of each thing that is wrong. */
  | { readonly kind: "unfit"; readonly problem: string }
  /** Nobody knows whether it fits. */
  | { readonly kind: "broken"; readonly problem: string; readonly cause?: unknown };

export interface CheckLimits {
  readonly limitMs: number;
  /** Ends the wait; it is asked for only where there is one. */
  readonly signal?: () => AbortSignal | undefined;
}

/** More of them in one message help nobody. */
const MOST_TOLD = 5;
const MOST_PATH_CHARACTERS = 200;

/** At once where the schema answers at once. `at`: what the value is, before the path in it. */
export function checkValue(
  schema: StandardSchema,
  value: unknown,
  at: "payload" | "output",
  limits: CheckLimits,
): Checked | Promise<Checked> {
  let answer: unknown;
  try {
    answer = schema["~standard"].validate(value);
  } catch (error) {
    return thrown(at, error);
  }
  return isThenable(answer) ? inTime(answer, at, limits) : read(answer, at);
}

async function inTime(
  answer: PromiseLike<unknown>,
  at: string,
  { limitMs, signal: ask }: CheckLimits,
): Promise<Checked> {
  const signal = ask?.();
  let stopWaiting = () => {};
  const waited = new Promise<Checked>((resolve) => {
    const giveUp = (how: string, cause?: unknown) =>
      resolve({ kind: "broken", problem: `the schema of ${at} ${how}`, cause });
    const timer = setTimeout(() => giveUp(`has not answered within ${limitMs} ms`), limitMs);
    const aborted = () => giveUp("had not answered when it was aborted", signal?.reason);
    signal?.addEventListener("abort", aborted, { once: true });
    if (signal?.aborted) aborted();
    stopWaiting = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
    };
  });
  const answered = Promise.resolve(answer).then(
    (result) => read(result, at),
    (error: unknown) => thrown(at, error),
  );
  try {
    return await Promise.race([answered, waited]);
  } finally {
    stopWaiting();
  }
}

/** What a schema answered: the library's types promise it, and nobody keeps them to it. */
function read(answer: unknown, at: string): Checked {
  try {
    const { issues, value } = answer as { readonly issues?: unknown; readonly value?: unknown };
    if (issues === undefined) return { kind: "fits", value };
    return { kind: "unfit", problem: issuesText(issues as readonly SchemaIssue[], at) };
  } catch (error) {
    return {
      kind: "broken",
      problem: `the schema of ${at} has answered what is no answer of a schema`,
      cause: error,
    };
  }
}

function thrown(at: string, error: unknown): Checked {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : "what is not an Error";
  return { kind: "broken", problem: `the schema of ${at} threw ${what}`, cause: error };
}

function issuesText(issues: readonly SchemaIssue[], at: string): string {
  // Reasons are not cut here: who knows of secrets in them does that.
  const told = issues
    .slice(0, MOST_TOLD)
    .map(({ path, message }) => `${pathText(path ?? [], at)}: ${String(message)}`);
  if (told.length === 0) return `${at}: its schema does not say what is wrong with it`;
  const more = issues.length - told.length;
  return told.join("; ") + (more > 0 ? `; and ${more} more` : "");
}

function pathText(path: NonNullable<SchemaIssue["path"]>, at: string): string {
  const keys = path.map((part) => String(typeof part === "object" ? part.key : part));
  return shorten([at, ...keys].join("."), MOST_PATH_CHARACTERS);
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return (
    typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function"
  );
}
