/** What users write: the handlers that run their jobs. */
import { quote } from "../core/errors.ts";
import { ACCEPTED_HANDLER_NAMES, isHandlerName } from "../core/handler-name.ts";
import { MAX_RETRY_AFTER_MS } from "../core/state/ending.ts";
import type { AddOptions } from "./add-child.ts";
import type { JobLog } from "./job-log.ts";
import { type ScheduleOptions, withSchedules } from "./schedules.ts";

/** Any value that JSON can carry. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** The job that a handler is called for. */
export interface HandlerJob {
  readonly id: string;
  readonly name: string;
  readonly handler: string;
  /** As it was added; undefined: it was added without one. */
  // oxlint-disable-next-line typescript/no-explicit-any -- its shape is between the sender and the handler
  readonly payload: any;
  /**
   * The payload as JSON text, exactly as it is kept. For numbers that JavaScript has not: of 3889108265204450030, `payload` has
   * 3889108265204450000. A handler returns such numbers as BigInt, or by `JSON.rawJSON`.
   */
  readonly payloadText: string | undefined;
}

/** The circumstances of the call. */
export interface HandlerContext {
  readonly jobId: string;
  /** Names this execution of the job for ever. */
  readonly claim: number;
  /** The how-manieth try of this occurrence this is: 1, 2, 3 … */
  readonly attempt: number;
  /** When the occurrence was due, which can be some time ago. */
  readonly scheduledAt: Date;
  /** The same for every attempt of one occurrence: hand it on, and a repeated effect can be told. */
  readonly idempotencyKey: string;
  /** When the attempt times out; null: never. */
  readonly deadline: Date | null;
  /** Aborts at the deadline, when the job is cancelled, and when the node has to give the job up. */
  readonly signal: AbortSignal;
  /** Says what the attempt does: kept with it, 1,000 lines or 256 KiB, and told in the node's log. */
  readonly log: JobLog;
  /**
   * Says how far the attempt is, from 0 to 1, and what it is at (up to 200 characters). Whoever looks at the job sees the latest, some of
   * them a quarter of a second later; it is not stored.
   */
  progress(fraction: number, text?: string): void;
  /**
   * Adds a job that runs once, with this one as its parent. An attempt that repeats what one before it has added adds nothing twice. It
   * waits out a failover; when `signal` aborts it rejects, and the job may be there or not.
   */
  add(handler: string, payload?: unknown, options?: AddOptions): Promise<string>;
}

/**
 * Runs a job. What it returns (or resolves to) is the job's output, as JSON. When it throws, the
 * attempt has failed, and is retried as the job's retry policy says.
 */
export type Handler = (job: HandlerJob, ctx: HandlerContext) => unknown;

/** Handlers by name; `runJob` takes every job that has no handler of its own. */
export type Jobs = Readonly<Record<string, Handler>>;

/** More names in one message help nobody. */
const MAX_NAMED = 10;

/**
 * Checks and types a set of handlers: the default export of the module that HANDLERS names. With schedules, nodes that start
 * with the module make jobs of those.
 */
export function defineJobs<T extends Jobs>(jobs: T, options?: ScheduleOptions<HandlerName<T>>): T {
  const wrong = Object.keys(jobs).filter((name) => !isHandlerName(name));
  if (wrong.length > 0) {
    const what = wrong.length === 1 ? "is no handler's name" : "are no handlers' names";
    throw new TypeError(
      `defineJobs: ${wrong.slice(0, MAX_NAMED).map(quote).join(" and ")} ${what}; ${ACCEPTED_HANDLER_NAMES}`,
    );
  }
  for (const [name, handler] of Object.entries(jobs)) {
    if (typeof handler !== "function") {
      throw new TypeError(`defineJobs: ${name} is ${describeType(handler)}; it must be a function`);
    }
  }
  return options === undefined ? jobs : withSchedules(jobs, options);
}

/** Those of the module come first where an editor lists them; the built-in ones, and what runJob takes, are accepted too. */
type HandlerName<T> = Extract<keyof T, string> | (string & {});

function describeType(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}

/** Throw it to fail an occurrence at once: it is not retried. */
export class PermanentError extends Error {
  override readonly name: string = "PermanentError";
  /** It is told by this mark, not by its class: the user's module may have loaded its own copy of this one. */
  readonly isPermanent = true;
}

/** Throw it to fail an attempt and choose when the next one comes, if the retry policy grants one. */
export class RetryError extends Error {
  override readonly name: string = "RetryError";
  /** It is told by this mark, as PermanentError is. */
  readonly retryAfterMs: number;

  /** `after`: milliseconds, instead of the policy's backoff. */
  constructor(message: string, options: { readonly after: number; readonly cause?: unknown }) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    const { after } = options;
    if (!(after >= 0 && after <= MAX_RETRY_AFTER_MS)) {
      throw new RangeError(
        `after: ${String(after)} is not accepted; use milliseconds, 0 to ${MAX_RETRY_AFTER_MS}`,
      );
    }
    this.retryAfterMs = after;
  }
}
