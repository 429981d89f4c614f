/**
 * The thread in which handlers run: many asynchronous ones at a time. It knows nothing of claims,
 * leases or the database; if it blocks or dies, the node goes on.
 *
 * Each handler runs in an asynchronous context of its own, so that an error that nobody caught, or a
 * process.exit, is that execution's failure and not its neighbours'.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { jsonSchemasOf } from "../contract/json-schemas.ts";
import type { LogLevel } from "../core/log/log-line.ts";
import type { Handler } from "../jobs/define-jobs.ts";
import { mayHaveReferences, withSecrets } from "../jobs/secret-references.ts";
import { AnswerNotices } from "./answer-notices.ts";
import { AnswerWriter } from "./answer-ring.ts";
import { callHandler, type Sayings } from "./call-handler.ts";
import { ChildAdds } from "./child-adds.ts";
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
import { hearPrinted } from "./log/hear-printed.ts";
import { ThreadLogs } from "./log/thread-logs.ts";
import { ThreadProgress } from "./log/thread-progress.ts";
import { outputText } from "./output-text.ts";
import { scrubPrinted } from "./scrub-printed.ts";
import { setUp, tearDown } from "./thread-resources.ts";
import { ThreadSignals } from "./thread-signals.ts";

const port = parentPort;
if (port === null) throw new Error("this module is the entry of a worker thread");
const data = workerData as ThreadData;
const send = (message: FromThread) => port.postMessage(message);

const signals = new ThreadSignals(data.signals);
const answers = new AnswerWriter(data.answers);
const adds = new ChildAdds(send);
const notices = new AnswerNotices(() => send({ kind: "answered" }));
const secrets = new FolderSecrets(data.builtIn.secretsFolder, () => performance.now());
const execution = new AsyncLocalStorage<number>();
const running = new Map<number, LateAbort>();
const logs = new ThreadLogs(
  (lines) => send({ kind: "said", lines }),
  () => secrets.scrubber,
);
const progress = new ThreadProgress(
  (key, latest) => send({ kind: "progress", key, progress: latest }),
  () => secrets.scrubber,
);

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
    const output = await signals.inside(key, () =>
      callHandler(called?.handler, given, abort, { says: sayingsOf(key), payloadOf, resources }),
    );
    end = { kind: "succeeded", output: signals.inside(key, () => outputText(output, secrets.scrubber)) };
  } catch (error) {
    end = signals.inside(key, () => describeFailure(error, secrets.scrubber));
  }
  running.delete(key);
  progress.ended(key);
  adds.ended(key);
  answer(key, end, logs.ended(key));
}

/**
 * It leaves at once: one that waited here for others would be lost when a neighbour blocks the thread. That of an execution
 * that has said something goes the way of what it said, behind it.
 */
function answer(key: number, end: ExecutionEnd, hasSaid: boolean): void {
  if (!hasSaid && end.kind === "succeeded" && answers.write(key, end.output)) notices.answered();
  else send({ kind: "ended", key, end });
}

/** Once it has ended, nothing of it is told, or added. */
function sayingsOf(key: number): Sayings {
  return {
    log: () => logs.of(key),
    progress(fraction, text) {
      if (running.has(key)) progress.tell(key, fraction, text);
    },
    async add({ jobId, idempotencyKey }, handler, payload, options) {
      if (!running.has(key)) throw new Error("add: the attempt is over");
      return adds.add({ key, jobId, idempotencyKey }, handler, payload, options);
    },
  };
}

function withOwnSecrets(payload: unknown, text: string): unknown {
  return mayHaveReferences(text) ? withSecrets(payload, (secret) => secrets.read(secret)) : payload;
}

async function receive(
  message: Exclude<ToThread, { kind: "tear_down" }>,
  handlerOf: (name: string) => Called | undefined,
): Promise<void> {
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
  if (message.kind === "added") return adds.answered(key, message.call, message.answer);
  const reason = new DOMException(message.reason, "AbortError");
  // What listens to the signal is the handler's code.
  execution.run(key, () => signals.inside(key, () => running.get(key)?.abort(reason)));
  adds.aborted(key, reason);
}

/** What the module's setup has returned. */
let resources: unknown;
let isLoaded = false;
let isDying = false;
/** Nothing is left that could call process.exit: the thread ends by itself, as after a module that did not load. */
let isDrained = false;

function dieOf(reason: string, error: unknown): void {
  if (isDying) return;
  isDying = true;
  logs.flush();
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

function hears(level: LogLevel): (text: string) => void {
  return (text) => {
    const key = execution.getStore();
    if (key !== undefined && running.has(key)) logs.printed(key, level, text);
  };
}

if (data.builtIn.secretsFolder !== null) {
  for (const stream of [process.stdout, process.stderr]) scrubPrinted(stream, () => secrets.scrubber);
}
hearPrinted(process.stdout, hears("info"));
hearPrinted(process.stderr, hears("error"));

try {
  const groups = {
    started: (group: number) => send({ kind: "process", group, isRunning: true }),
    ended: (group: number) => send({ kind: "process", group, isRunning: false }),
  };
  // Of what was compiled to JavaScript, stacks name the sources.
  if (data.handlersUrl !== null) process.setSourceMapsEnabled(true);
  const { jobs, own, schedules, life, contract } = await loadHandlers(
    data.handlersUrl,
    data.builtIn,
    groups,
    secrets,
  );
  if (life !== null) {
    send({ kind: "setting_up" });
    resources = await setUp(life);
  }
  const called = new Map(
    Object.entries(jobs).map(([name, handler]) => [name, { handler, isOwn: Object.hasOwn(own, name) }]),
  );
  const handlerOf = (name: string) => called.get(name) ?? called.get("runJob");
  isLoaded = true;
  port.on("message", async (message: ToThread) => {
    if (message.kind !== "tear_down") return receive(message, handlerOf);
    const problem = await tearDown(life ?? {}, resources);
    send({ kind: "torn_down", problem: problem === null ? null : secrets.scrubber.text(problem) });
  });
  const handlers = Object.keys(jobs).filter((name) => name !== "runJob");
  const { schemas, leftOut: schemasLeftOut } = jsonSchemasOf(contract);
  const hasTeardown = life?.teardown !== undefined;
  const hasRunJob = Object.hasOwn(jobs, "runJob");
  send({ kind: "ready", handlers, hasRunJob, schedules, schemas, schemasLeftOut, hasTeardown });
} catch (error) {
  // The first reason counts: what the module has left running may end the thread in its own way before that is killed.
  if (!isDying) send({ kind: "broken", message: secrets.scrubber.text(loadFailure(error)) });
  isDying = true;
}
