/**
 * What the executions of a thread say, on its way to the node. All bounds are kept here, where the lines are made: of a
 * flood the node sees no more than it keeps.
 */

import type { LineKind, LogLevel } from "../../core/log/log-line.ts";
import { type JobLog, jobLog } from "../../jobs/job-log.ts";
import type { SaidLine } from "../executor-messages.ts";
import type { Scrubber } from "../scrubber.ts";
import { AttemptBudget, endMark, ThreadBudget } from "./line-budget.ts";
import { LinePost } from "./line-post.ts";
import { lineFields, lineText } from "./line-text.ts";

interface Attempt {
  readonly log: JobLog;
  readonly budget: AttemptBudget;
  /** Something was said. */
  hasSaid: boolean;
}

export class ThreadLogs {
  readonly #post: LinePost<SaidLine>;
  readonly #scrubber: () => Scrubber;
  readonly #budget = new ThreadBudget(() => performance.now());
  /** Of executions that have asked for their log, or have printed. */
  readonly #attempts = new Map<number, Attempt>();

  constructor(send: (lines: readonly SaidLine[]) => void, scrubber: () => Scrubber) {
    this.#post = new LinePost(send);
    this.#scrubber = scrubber;
  }

  /** The log of an execution that runs. */
  of(key: number): JobLog {
    return this.#attempt(key).log;
  }

  /** It has printed a text. */
  printed(key: number, level: LogLevel, text: string): void {
    const attempt = this.#attempt(key);
    // Its printing goes on: nothing that it does may fail or wait for this.
    this.#say(key, attempt, "printed", level, text.replace(/\n$/, ""), undefined);
  }

  /** It has ended. True: it has said something, which is with the node before whatever is sent from now on. */
  ended(key: number): boolean {
    if (this.#attempts.size === 0) return false;
    const attempt = this.#attempts.get(key);
    this.#attempts.delete(key);
    if (attempt === undefined || !attempt.hasSaid) return false;
    const missing = attempt.budget.missingMark(Date.now());
    if (missing !== null) this.#post.add([key, missing]);
    this.#post.flush();
    return true;
  }

  /** The thread is about to end. */
  flush(): void {
    this.#post.flush();
  }

  #attempt(key: number): Attempt {
    const known = this.#attempts.get(key);
    if (known !== undefined) return known;
    const attempt: Attempt = {
      log: jobLog((level, text, fields) => {
        // What a handler left behind may go on speaking when its attempt is over.
        if (this.#attempts.get(key) === attempt) this.#say(key, attempt, "said", level, text, fields);
      }),
      budget: new AttemptBudget(),
      hasSaid: false,
    };
    this.#attempts.set(key, attempt);
    return attempt;
  }

  #say(
    key: number,
    attempt: Attempt,
    kind: LineKind,
    level: LogLevel,
    given: unknown,
    givenFields: unknown,
  ): void {
    const { budget } = attempt;
    if (budget.isSpent) return;
    attempt.hasSaid = true;
    if (!this.#budget.take()) return budget.skip();
    const scrubber = this.#scrubber();
    const text = lineText(given, scrubber);
    const fields = lineFields(givenFields, scrubber);
    const at = Date.now();
    const missing = budget.missingMark(at);
    if (missing !== null) this.#post.add([key, missing]);
    const isKept = budget.take(Buffer.byteLength(text) + Buffer.byteLength(fields ?? ""));
    this.#post.add([key, isKept ? { at, level, kind, text, fields } : endMark(at)]);
  }
}
