/** What users write: the handlers that run their jobs. */
import {
  type Contract,
  checkContract,
  type HandledPayload,
  type HandlerContract,
  type Returned,
} from "../contract/contract.ts";
import { quote } from "../core/errors.ts";
import { ACCEPTED_HANDLER_NAMES, isHandlerName, RUN_JOB } from "../core/handler-name.ts";
import { nearestName } from "../core/nearest-name.ts";
import { MAX_RETRY_AFTER_MS } from "../core/state/ending.ts";
import type { AddOptions } from "./add-child.ts";
import { contractHandler } from "./contract-handler.ts";
import { withBeside } from "./handlers-module.ts";
import type { JobLog } from "./job-log.ts";
import { checkSchedules, type ScheduleOptions } from "./schedules.ts";
import { checkedLife, type ThreadLife } from "./thread-life.ts";

/** Any value that JSON can carry. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** The job that a handler is called for. */
// oxlint-disable-next-line typescript/no-explicit-any -- its shape is between the sender and the handler
export interface HandlerJob<Payload = any> {
  readonly id: string;
  readonly name: string;
  readonly handler: string;
  /** As it was added; undefined: it was added without one. */
  readonly payload: Payload;
  /**
   * The payload as JSON text, exactly as it is kept. For numbers that JavaScript has not: of 3889108265204450030, `payload` has
   * 3889108265204450000. A handler returns such numbers as BigInt, or by `JSON.rawJSON`.
   */
  readonly payloadText: string | undefined;
}

/** The circumstances of the call. */
export interface HandlerContext<Resources = unknown> {
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
  /** What `setup` has returned in this thread. */
  readonly resources: Resources;
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
export interface Handler<Resources = unknown> {
  (job: HandlerJob, ctx: HandlerContext<Resources>): unknown;
  /** What it takes and gives; unset: it does not say. */
  readonly contract?: HandlerContract;
}

/** Handlers by name; `runJob` takes every job that has no handler of its own. */
export type Jobs<Resources = unknown> = Readonly<Record<string, Handler<Resources>>>;

/** What a module has besides handlers. */
export type JobsOptions<Name extends string = string, Resources = unknown> = Partial<ScheduleOptions<Name>> &
  ThreadLife<Resources>;

/** A handler that its contract checks: it is given the payload as the schema makes it, and the job with the rest. */
export type ContractHandler<H, Resources = unknown> = (
  payload: HandledPayload<H>,
  ctx: HandlerContext<Resources> & { readonly job: HandlerJob },
) => Returned<H> | Promise<Returned<H>>;

/** One for each name of the contract; `runJob`, for what has no handler of its own, is called with the job. */
export type ContractHandlers<C extends Contract, Resources = unknown> = {
  readonly [Name in keyof C]: ContractHandler<C[Name], Resources>;
} & { readonly runJob?: Handler<Resources> };

/** Handlers that carry their contract. */
export type ContractJobs<C extends Contract> = {
  readonly [Name in keyof C]: Handler & { readonly contract: C[Name] };
};

/** More names in one message help nobody. */
const MAX_NAMED = 10;

/**
 * Checks and types a set of handlers: the default export of the module that HANDLERS names. With schedules, nodes that start
 * with the module make jobs of those. With a contract, handlers are given payloads that fit it.
 */
export function defineJobs<T extends Jobs<Resources>, Resources = unknown>(
  jobs: T,
  options?: JobsOptions<HandlerName<T>, Resources>,
): T;
export function defineJobs<const C extends Contract, Resources = unknown>(
  contract: C,
  handlers: ContractHandlers<C, Resources>,
  options?: JobsOptions<HandlerName<C>, Resources>,
): ContractJobs<C>;
export function defineJobs(first: Jobs | Contract, second?: object, third?: JobsOptions): Jobs {
  if (isContract(first, second)) {
    checkContract(first, "defineJobs");
    return withOptions(contractJobs(first, second), third);
  }
  checkHandlers(first);
  return withOptions(first as Jobs, second);
}

/** Of something else, the plain form's messages tell more. */
function isContract(first: Jobs | Contract, second: object | undefined): second is object {
  const parts = Object.values(first);
  return second !== undefined && parts.length > 0 && parts.every((part) => typeof part === "object");
}

function contractJobs(contract: Contract, handlers: object): Jobs {
  const { [RUN_JOB]: runJob, ...given } = handlers as Record<string, unknown>;
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(contract, name)) continue;
    const nearest = nearestName(name, Object.keys(contract));
    const meant = nearest === null ? "" : `; ${quote(nearest)} is`;
    throw new TypeError(`defineJobs: ${quote(name)} is not in the contract${meant}`);
  }
  const missing = Object.keys(contract).filter((name) => !Object.hasOwn(given, name));
  if (missing.length > 0) {
    const named = missing.slice(0, MAX_NAMED).map(quote).join(" and ");
    throw new TypeError(`defineJobs: the contract has ${named}, and no handler is given for it`);
  }
  checkHandlers(handlers);
  const jobs = Object.entries(contract).map(([name, parts]): [string, Handler] => [
    name,
    contractHandler<HandlerJob, HandlerContext>(name, parts, given[name] as ContractHandler<HandlerContract>),
  ]);
  return Object.fromEntries(runJob === undefined ? jobs : [...jobs, [RUN_JOB, runJob as Handler]]);
}

function checkHandlers(handlers: object): void {
  const wrong = Object.keys(handlers).filter((name) => !isHandlerName(name));
  if (wrong.length > 0) {
    const what = wrong.length === 1 ? "is no handler's name" : "are no handlers' names";
    throw new TypeError(
      `defineJobs: ${wrong.slice(0, MAX_NAMED).map(quote).join(" and ")} ${what}; ${ACCEPTED_HANDLER_NAMES}`,
    );
  }
  for (const [name, handler] of Object.entries(handlers)) {
    if (typeof handler !== "function") {
      throw new TypeError(`defineJobs: ${name} is ${describeType(handler)}; it must be a function`);
    }
  }
}

function withOptions(jobs: Jobs, options: JobsOptions | undefined): Jobs {
  if (options === undefined) return jobs;
  const { setup, teardown, ...rest } = options;
  const life = checkedLife(setup, teardown);
  const schedules = life !== null && Object.keys(rest).length === 0 ? null : (rest as ScheduleOptions);
  if (schedules !== null) checkSchedules(schedules);
  return withBeside(jobs, { schedules, life });
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
