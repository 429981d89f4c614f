/** Takes the node's own secrets out of how an execution ended, after a thread has cut it to size. */
import type { ExecutionEnd, ExecutionError } from "./executors.ts";
import { CUT_MARK, TRUNCATED_OUTPUT } from "./result-limits.ts";
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
  if (output === null) return null;
  const scrubbed = scrubber.json(output);
  if (!scrubbed.startsWith(TRUNCATED_OUTPUT)) return scrubbed;
  const cut = JSON.parse(scrubbed) as { readonly head?: unknown };
  // A handler may return an object that begins in the same way.
  return typeof cut.head === "string" ? JSON.stringify({ ...cut, head: scrubber.cut(cut.head) }) : scrubbed;
}

function scrubError({ name, message, stack }: ExecutionError, scrubber: Scrubber): ExecutionError {
  return {
    name: scrubber.text(name),
    message: scrubCut(message, scrubber),
    ...(stack === undefined ? {} : { stack: scrubCut(stack, scrubber) }),
  };
}

function scrubCut(text: string, scrubber: Scrubber): string {
  const scrubbed = scrubber.text(text);
  if (!scrubbed.endsWith(CUT_MARK)) return scrubbed;
  return `${scrubber.cut(scrubbed.slice(0, -CUT_MARK.length))}${CUT_MARK}`;
}
