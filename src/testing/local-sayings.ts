/** What handlers on virtual time say and add: lines go to the cluster's log, progress to nobody, and jobs to the master. */
import type { Logger } from "../core/logger.ts";
import { jobLog } from "../jobs/job-log.ts";
import type { Sayings } from "../node/call-handler.ts";
import { ChildAdds } from "../node/child-adds.ts";
import type { Execution } from "../node/executors.ts";

export class LocalSayings {
  readonly #logger: Logger;
  readonly #adds: ChildAdds;
  #lastKey = 0;

  /** `addJob`: an AddJobRequest as JSON; gives the job's id. */
  constructor(logger: Logger, addJob: (json: string) => Promise<string>) {
    this.#logger = logger;
    this.#adds = new ChildAdds(({ key, call, request }) => {
      addJob(request).then(
        (jobId) => this.#adds.answered(key, call, { jobId }),
        (error: unknown) => this.#adds.answered(key, call, answerOf(error)),
      );
    });
  }

  /** Of one execution. */
  of({
    jobId,
    claim,
    attempt,
    handler,
  }: Pick<Execution, "jobId" | "claim" | "attempt" | "handler">): Sayings {
    const key = ++this.#lastKey;
    return {
      log: () =>
        jobLog((level, text, fields) =>
          this.#logger[level]({ jobId, claim, attempt, handler, text, fields }, "a job says"),
        ),
      progress: () => {},
      add: (adder, ...what) => this.#adds.add({ key, ...adder }, ...what),
    };
  }
}

function answerOf(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return { code: String(code ?? "unknown"), message: String(message ?? error) };
}
