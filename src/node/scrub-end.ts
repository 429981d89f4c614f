/** Takes the node's own secrets out of how an execution ended, after a thread has cut it to size. */
import { errorText } from "./error-text.ts";
import type { ExecutionEnd, ExecutionError } from "./executors.ts";
import { limitedOutput } from "./output-text.ts";
import { MAX_ERROR_NAME_CHARACTERS, TRUNCATED_OUTPUT } from "./result-limits.ts";
import { NOTHING_KNOWN, type Scrubber } from "./scrubber.ts";

export function scrubEnd(end: ExecutionEnd, scrubber: Scrubber): ExecutionEnd {
  if (scrubber === NOTHING_KNOWN) return end;
  if (end.kind === "succeeded") {
    const output = scrubOutput(end.output, scrubber);
    return output === end.output ? end : { ...end, output };
  }
  return end.kind === "failed" ? { ...end, error: scrubError(end.error, scrubber) } : end;
}

export function scrubOutput(output: string | null, scrubber: Scrubber): string | null {
  if (output === null || scrubber === NOTHING_KNOWN) return output;
  const scrubbed = limitedOutput(output, scrubber);
  if (!scrubbed.startsWith(TRUNCATED_OUTPUT)) return scrubbed;
  const cut = JSON.parse(scrubbed) as { readonly head?: unknown };
  // A handler may return an object that begins in the same way.
  return typeof cut.head === "string" ? JSON.stringify({ ...cut, head: scrubber.cut(cut.head) }) : scrubbed;
}

function scrubError({ name, message, stack }: ExecutionError, scrubber: Scrubber): ExecutionError {
  return {
    name: scrubber.head(name, MAX_ERROR_NAME_CHARACTERS),
    message: errorText(message, scrubber),
    ...(stack === undefined ? {} : { stack: errorText(stack, scrubber) }),
  };
}
