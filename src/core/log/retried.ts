/**
 * What fails and is tried again, many times a second maybe, until a server answers: the first failure of a cause is a line, and then
 * one each ten seconds, with how many there were.
 */
import type { Clock } from "../clock.ts";
import { isError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { CountedLines } from "./counted-lines.ts";

export class Retried {
  readonly #lines: CountedLines;

  constructor(parts: { readonly logger: Logger; readonly clock: Clock }) {
    this.#lines = new CountedLines(parts);
  }

  failed(error: unknown, message: string): void {
    // Where a server refuses or is away, its words are all there is to say; of all else, the stack tells where it is.
    const isKnown = isError(error, "unavailable") || isError(error, "failed_precondition");
    const text = error instanceof Error ? error.message : String(error);
    this.#lines.write({
      level: "warn",
      message,
      jobId: null,
      kind: { error: text },
      fields: isKnown || !(error instanceof Error) ? {} : { stack: error.stack },
    });
  }
}
