import type { Handler, HandlerContext, HandlerJob } from "../jobs/define-jobs.ts";
import type { JobLog } from "../jobs/job-log.ts";
import type { Execution } from "./executors.ts";
import type { LateAbort } from "./late-abort.ts";

/** What a handler is told of its execution. */
type Told = Omit<Execution, "timeoutMs" | "alone">;

/** What a handler is to have of a payload, which is given with its text. */
type PayloadOf = (payload: unknown, text: string) => unknown;

/** How an execution says what it does, and adds jobs. */
export interface Sayings {
  readonly log: () => JobLog;
  readonly progress: HandlerContext["progress"];
  readonly add: (
    adder: { readonly jobId: string; readonly idempotencyKey: string },
    ...what: Parameters<HandlerContext["add"]>
  ) => Promise<string>;
}

export interface CallMeans {
  readonly says: Sayings;
  /** Missing: it has the payload as it was added. */
  readonly payloadOf?: PayloadOf | undefined;
  /** What the module's setup has returned. */
  readonly resources?: unknown;
}

/** Calls the handler of an execution; what it returns, or throws, is the caller's to record. `handler`: undefined where there is none. */
export function callHandler(
  handler: Handler | undefined,
  given: Told,
  abort: LateAbort,
  { says, payloadOf = (payload) => payload, resources }: CallMeans,
): unknown {
  if (handler === undefined) {
    throw new Error(`this node has no handler "${given.handler}", and no runJob`);
  }
  const id = String(given.jobId);
  return handler(jobOf(id, given, payloadOf), contextOf(id, given, { abort, says, resources }));
}

function jobOf(id: string, { name, handler, payload: text }: Told, payloadOf: PayloadOf): HandlerJob {
  const payload = text === null ? undefined : payloadOf(JSON.parse(text), text);
  return { id, name, handler, payload, payloadText: text ?? undefined };
}

function contextOf(
  jobId: string,
  given: Told,
  {
    abort,
    says,
    resources,
  }: { readonly abort: LateAbort; readonly says: Sayings; readonly resources: unknown },
): HandlerContext {
  const idempotencyKey = `${jobId}-${given.scheduledAt}`;
  const { claim, attempt, scheduledAt, deadline } = given;
  return {
    jobId,
    claim,
    attempt,
    scheduledAt: new Date(scheduledAt),
    idempotencyKey,
    deadline: deadline === null ? null : new Date(deadline),
    get signal() {
      return abort.signal;
    },
    // Made when it is asked for: most jobs say nothing.
    get log() {
      return says.log();
    },
    progress: says.progress,
    async add(...what) {
      abort.signal.throwIfAborted();
      return says.add({ jobId, idempotencyKey }, ...what);
    },
    resources,
  };
}
