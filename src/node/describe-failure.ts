/**
 * What a handler threw, as it is recorded. It may be anything: no property of it is read without
 * expecting that to throw.
 */
import { errorText } from "./error-text.ts";
import type { ExecutionEnd } from "./executors.ts";
import { MAX_CAUSES, MAX_ERROR_NAME_CHARACTERS } from "./result-limits.ts";
import { NOTHING_KNOWN, type Scrubber } from "./scrubber.ts";

type Failure = Extract<ExecutionEnd, { kind: "failed" }>;

export function describeFailure(thrown: unknown, scrubber: Scrubber = NOTHING_KNOWN): Failure {
  const retryAfterMs = read(thrown, "retryAfterMs");
  return {
    kind: "failed",
    error: describe(thrown, scrubber),
    isPermanent: read(thrown, "isPermanent") === true,
    ...(typeof retryAfterMs === "number" && retryAfterMs >= 0 ? { retryAfterMs } : {}),
  };
}

function describe(thrown: unknown, scrubber: Scrubber): Failure["error"] {
  const message = read(thrown, "message");
  if (typeof message !== "string") {
    return {
      name: "Error",
      message: errorText(`${plainText(thrown)} was thrown, which is not an Error`, scrubber),
    };
  }
  const name = read(thrown, "name");
  const stack = stackWithCauses(thrown);
  return {
    name:
      typeof name === "string" && name !== ""
        ? scrubber.text(name).slice(0, MAX_ERROR_NAME_CHARACTERS).toWellFormed()
        : "Error",
    message: errorText(message, scrubber),
    ...(stack === "" ? {} : { stack: errorText(stack, scrubber) }),
  };
}

/** A stack does not show its error's causes, nor what an AggregateError is made of. */
function stackWithCauses(thrown: unknown): string {
  const seen = new Set<unknown>([thrown]);
  let text = ownStack(thrown);
  const queue = reasons(thrown);
  for (let count = 0; count < MAX_CAUSES && queue.length > 0; count++) {
    const cause = queue.shift();
    if (seen.has(cause)) continue;
    seen.add(cause);
    text += `\ncaused by: ${ownStack(cause) || plainText(cause)}`;
    queue.push(...reasons(cause));
  }
  return text;
}

function ownStack(thrown: unknown): string {
  const stack = read(thrown, "stack");
  return typeof stack === "string" ? stack : "";
}

function reasons(thrown: unknown): unknown[] {
  const cause = read(thrown, "cause");
  const errors = read(thrown, "errors");
  const found = cause === undefined ? [] : [cause];
  try {
    if (Array.isArray(errors)) found.push(...errors.slice(0, MAX_CAUSES));
  } catch {
    // A proxy: it need not be what it says.
  }
  return found;
}

function plainText(value: unknown): string {
  try {
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return text ?? typeof value;
  } catch {
    return `a value of type ${typeof value} that has no text`;
  }
}

function read(from: unknown, key: string): unknown {
  if ((typeof from !== "object" && typeof from !== "function") || from === null) return undefined;
  try {
    return Reflect.get(from, key);
  } catch {
    return undefined;
  }
}
