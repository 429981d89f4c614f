import { constants } from "node:os";
import type { Environment } from "../config.ts";
import { outliveOutput } from "./lost-output.ts";
import { whenNpmIsGone } from "./npm-gone.ts";

const EXIT_LIMIT_MS = 2_000;
/** SIGHUP: the terminal is gone, or whatever started it wants it to end. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Starts something, waits for Ctrl-C, SIGTERM or SIGHUP, then stops it in good order. Whoever asks twice, by Ctrl-C or SIGTERM,
 * has it exit at once: what was running is then LOST and runs again, as after a crash. SIGHUP does not ask: of a terminal
 * that is closed, the shell and the kernel each send one, and a session that ends sends one after its SIGTERM. A start that
 * fails, or that a signal does not end, ends the process within EXIT_LIMIT_MS, whatever it has left open.
 *
 * Listens before it starts anything: a container's first process does not even die of a signal that it does not
 * handle, so one that came while it waits for its database would be lost.
 */
export async function runUntilSignal(
  env: Environment,
  start: (giveUp: AbortSignal) => Promise<() => Promise<void>>,
): Promise<void> {
  const signalled = new AbortController();
  let isStarting = true;
  let isAsked = false;
  const onSignal = (signal: NodeJS.Signals) => {
    // As a shell tells it of a process that a signal has ended.
    const exit = () => process.exit(128 + constants.signals[signal]);
    if (signal !== "SIGHUP") {
      if (isAsked) exit();
      isAsked = true;
    }
    if (signalled.signal.aborted) return;
    process.stderr.write("stopping; running jobs may finish (Ctrl-C again to exit at once)\n");
    signalled.abort();
    // Nothing runs yet that could be lost.
    setTimeout(() => isStarting && exit(), EXIT_LIMIT_MS).unref();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // As a closed terminal: nobody has asked twice by that.
  whenNpmIsGone(env, () => onSignal("SIGHUP"));
  outliveOutput();
  let stop: () => Promise<void>;
  try {
    stop = await start(signalled.signal);
  } catch (error) {
    // By then the exit code is set, and the error is told.
    setTimeout(() => process.exit(), EXIT_LIMIT_MS).unref();
    if (signalled.signal.aborted) return;
    throw error;
  } finally {
    isStarting = false;
  }
  if (!signalled.signal.aborted) {
    await new Promise((resolve) => signalled.signal.addEventListener("abort", resolve, { once: true }));
  }
  await stop();
  // A handle that was left open must not keep a process that is done until it is killed; it is told, as it is a fault.
  setTimeout(() => {
    const open = [...new Set(process.getActiveResourcesInfo())].join(", ");
    process.stderr.write(`everything has stopped, but something is still open: ${open}\n`);
    process.exit();
  }, EXIT_LIMIT_MS).unref();
}
