/**
 * The thread in which handlers run: many asynchronous ones at a time. It knows nothing of claims,
 * leases or the database; if it blocks or dies, the node goes on.
 *
 * Each handler runs in an asynchronous context of its own, so that an error that nobody caught, or a
 * process.exit, is that execution's failure and not its neighbours'.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { parentPort, workerData } from "node:worker_threads";
import type { Handler } from "../jobs/define-jobs.ts";
import { mayHaveReferences, withSecrets } from "../jobs/secret-references.ts";
import { AnswerNotices } from "./answer-notices.ts";
import { AnswerWriter } from "./answer-ring.ts";
import { callHandler } from "./call-handler.ts";
import { describeFailure } from "./describe-failure.ts";
import {
  type FromThread,
  type Run,
  type ThreadData,
  type ToThread,
  TURN_MS,
  unpackRun,
} from "./executor-messages.ts";
import type { ExecutionEnd } from "./executors.ts";
import { FolderSecrets } from "./folder-secrets.ts";
import { LateAbort } from "./late-abort.ts";
import { loadFailure, loadHandlers } from "./load-handlers.ts";
import { outputText } from "./output-text.ts";
import { scrubPrinted } from "./scrub-printed.ts";
import { ThreadSignals } from "./thread-signals.ts";

const port = parentPort;
if (port === null) throw new Error("this module is the entry of a worker thread");
const data = workerData as ThreadData;
const send = (message: FromThread) => port.postMessage(message);

const signals = new ThreadSignals(data.signals);
const answers = new AnswerWriter(data.answers);
const notices = new AnswerNotices(() => send({ kind: "answered" }));
const secrets = new FolderSecrets(data.builtIn.secretsFolder, () => performance.now());
const execution = new AsyncLocalStorage<number>();
const running = new Map<number, LateAbort>();

interface Called {
  readonly handler: Handler;
  /** Whether references to secrets are replaced in its payload: built-in handlers would show them, or know better how far they may go. */
  readonly isOwn: boolean;
}

async function run(called: Called | undefined, given: Run): Promise<void> {
  const { key } = given;
  const abort = new LateAbort();
  running.set(key, abort);
  let end: ExecutionEnd;
  try {
    const payloadOf = called?.isOwn === true ? withOwnSecrets : undefined;
    const output = await signals.inside(key, () => callHandler(called?.handler, given, abort, payloadOf));
    end = { kind: "succeeded", output: signals.inside(key, () => outputText(output, secrets.scrubber)) };
  } catch (error) {
    end = signals.inside(key, () => describeFailure(error, secrets.scrubber));
  }
  running.delete(key);
  answer(key, end);
}

/** It leaves at once: one that waited here for others would be lost when a neighbour blocks the thread. */
function answer(key: number, end: ExecutionEnd): void {
  if (end.kind === "succeeded" && answers.write(key, end.output)) notices.answered();
  else send({ kind: "ended", key, end });
}

function withOwnSecrets(payload: unknown, text: string): unknown {
  return mayHaveReferences(text) ? withSecrets(payload, (secret) => secrets.read(secret)) : payload;
}

async function receive(message: ToThread, handlerOf: (name: string) => Called | undefined): Promise<void> {
  if (message.kind === "run") {
    for (const packed of message.runs) {
      const given = unpackRun(packed);
      signals.took(given.key);
      void execution.run(given.key, () => run(handlerOf(given.handler), given));
      // What has ended already is answered before the next one begins, which may block.
      await Promise.resolve();
    }
    return;
  }
  const { key } = message;
  const reason = new DOMException(message.reason, "AbortError");
  // What listens to the signal is the handler's code.
  execution.run(key, () => signals.inside(key, () => running.get(key)?.abort(reason)));
}

let isLoaded = false;
let isDying = false;
/** Nothing is left that could call process.exit: the thread ends by itself, as after a module that did not load. */
let isDrained = false;

function dieOf(reason: string, error: unknown): void {
  if (isDying) return;
  isDying = true;
  send({
    kind: "dying",
    key: execution.getStore() ?? null,
    reason,
    end: describeFailure(error, secrets.scrubber),
  });
}

process.on("uncaughtException", (error, origin) => {
  dieOf(origin === "unhandledRejection" ? "an unhandled rejection" : "an uncaught error", error);
  process.exit(1);
});
process.on("beforeExit", () => {
  isDrained = true;
});
process.on("exit", (code) => {
  if (isDrained) return;
  const when = isLoaded ? "in a handler; return or throw instead" : "while the module loaded";
  dieOf("process.exit", new Error(`process.exit(${code}) was called ${when}`));
});
setInterval(() => signals.turned(), TURN_MS).unref();

if (data.builtIn.secretsFolder !== null) {
  for (const stream of [process.stdout, process.stderr]) scrubPrinted(stream, () => secrets.scrubber);
}

try {
  const groups = {
    started: (group: number) => send({ kind: "process", group, isRunning: true }),
    ended: (group: number) => send({ kind: "process", group, isRunning: false }),
  };
  const { jobs, own, schedules } = await loadHandlers(data.handlersUrl, data.builtIn, groups, secrets);
  const called = new Map(
    Object.entries(jobs).map(([name, handler]) => [name, { handler, isOwn: Object.hasOwn(own, name) }]),
  );
  const handlerOf = (name: string) => called.get(name) ?? called.get("runJob");
  isLoaded = true;
  port.on("message", (message: ToThread) => void receive(message, handlerOf));
  const handlers = Object.keys(jobs).filter((name) => name !== "runJob");
  send({ kind: "ready", handlers, hasRunJob: Object.hasOwn(jobs, "runJob"), schedules });
} catch (error) {
  // The first reason counts: what the module has left running may end the thread in its own way before that is killed.
  if (!isDying) send({ kind: "broken", message: secrets.scrubber.text(loadFailure(error)) });
  isDying = true;
}
