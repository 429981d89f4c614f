/**
 * The thread in which handlers run: many asynchronous ones at a time. It knows nothing of claims,
 * leases or the database; if it blocks or dies, the node goes on.
 */
import { parentPort, workerData } from "node:worker_threads";
import { builtInJobs } from "../jobs/built-in.ts";
import {
  defineJobs,
  type Handler,
  type HandlerContext,
  type HandlerJob,
  type Jobs,
} from "../jobs/define-jobs.ts";
import { type FromThread, type ThreadData, type ToThread, TURN_MS } from "./executor-messages.ts";
import type { Execution, ExecutionEnd, ExecutionError } from "./executors.ts";

/** A longer output is cut, and marked so. */
const MAX_OUTPUT_CHARACTERS = 1 << 20;
const MAX_ERROR_CHARACTERS = 8192;

const port = parentPort;
if (port === null) throw new Error("this module is the entry of a worker thread");
const data = workerData as ThreadData;
const send = (message: FromThread) => port.postMessage(message);

const running = new Map<number, AbortController>();
let ends: { key: number; end: ExecutionEnd }[] = [];

async function loadJobs(): Promise<Jobs> {
  if (data.handlersUrl === null) return builtInJobs;
  const module: unknown = await import(data.handlersUrl);
  const exported =
    typeof module === "object" && module !== null && "default" in module ? module.default : undefined;
  if (typeof exported !== "object" || exported === null) {
    throw new TypeError("it has no default export; write `export default defineJobs({ … })`");
  }
  return { ...builtInJobs, ...defineJobs(exported as Jobs) };
}

/** Answers of one turn of the event loop travel together. */
function ended(key: number, end: ExecutionEnd): void {
  if (ends.length === 0) {
    setImmediate(() => {
      send({ kind: "ended", ends });
      ends = [];
    });
  }
  ends.push({ key, end });
}

async function run(handler: Handler | undefined, key: number, execution: Execution): Promise<void> {
  const controller = new AbortController();
  running.set(key, controller);
  let end: ExecutionEnd;
  try {
    if (handler === undefined)
      throw new Error(`this node has no handler "${execution.handler}", and no runJob`);
    const output = await handler(jobOf(execution), contextOf(execution, controller.signal));
    end = { kind: "succeeded", output: outputText(output) };
  } catch (error) {
    end = { kind: "failed", error: describe(error), isPermanent: isPermanent(error) };
  }
  running.delete(key);
  ended(key, end);
}

function jobOf({ jobId, name, handler, payload }: Execution): HandlerJob {
  return { id: String(jobId), name, handler, payload: payload === null ? undefined : JSON.parse(payload) };
}

function contextOf(execution: Execution, signal: AbortSignal): HandlerContext {
  const { jobId, claim, attempt, scheduledAt, deadline } = execution;
  return {
    jobId: String(jobId),
    claim,
    attempt,
    scheduledAt: new Date(scheduledAt),
    idempotencyKey: `${jobId}-${scheduledAt}`,
    deadline: deadline === null ? null : new Date(deadline),
    signal,
  };
}

function outputText(output: unknown): string | null {
  // Undefined for what JSON does not know, such as a function.
  const text: string | undefined = JSON.stringify(output);
  if (text === undefined) return null;
  if (text.length <= MAX_OUTPUT_CHARACTERS) return text;
  return JSON.stringify({
    truncated: true,
    characters: text.length,
    head: text.slice(0, MAX_ERROR_CHARACTERS),
  });
}

function describe(error: unknown): ExecutionError {
  if (!(error instanceof Error)) return { name: "Error", message: cut(String(error)) };
  const { name, message, stack } = error;
  return { name: cut(name), message: cut(message), ...(stack === undefined ? {} : { stack: cut(stack) }) };
}

function cut(text: string): string {
  return text.length <= MAX_ERROR_CHARACTERS ? text : `${text.slice(0, MAX_ERROR_CHARACTERS)}… (cut)`;
}

function isPermanent(error: unknown): boolean {
  return error instanceof Error && "isPermanent" in error && error.isPermanent === true;
}

const turns = new Int32Array(data.turns);
setInterval(() => Atomics.add(turns, 0, 1), TURN_MS).unref();

try {
  const jobs = await loadJobs();
  const handlerOf = (name: string) => (Object.hasOwn(jobs, name) ? jobs[name] : jobs["runJob"]);
  port.on("message", (message: ToThread) => {
    if (message.kind === "run") {
      void run(handlerOf(message.execution.handler), message.key, message.execution);
    } else {
      running.get(message.key)?.abort(new DOMException(message.reason, "AbortError"));
    }
  });
  const handlers = Object.keys(jobs).filter((name) => name !== "runJob");
  send({ kind: "ready", handlers, hasRunJob: Object.hasOwn(jobs, "runJob") });
} catch (error) {
  send({ kind: "broken", message: error instanceof Error ? error.message : String(error) });
}
