import { type DestinationStream, destination, pino, stdSerializers, stdTimeFunctions } from "pino";
import { isError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { HeldLines } from "./held-lines.ts";

/** Logs to stderr, synchronously, so that the last lines before an exit are there. `human`: lines for a terminal. */
export function createLogger(level: string, human: boolean): Logger {
  return loggerTo(stderrLines(human), level);
}

/** One whose lines wait until they are released, so that what a person should see first can be printed first. */
export function createHeldLogger(level: string, human: boolean): { logger: Logger; lines: HeldLines } {
  const lines = new HeldLines(stderrLines(human));
  return { logger: loggerTo(lines, level), lines };
}

function stderrLines(human: boolean): DestinationStream {
  const stderr = destination({ dest: 2, sync: true });
  // A log that nobody takes, or a full disk, is no reason to stop serving; and there is nobody left to tell.
  stderr.on("error", () => {});
  return human ? humanLines(stderr) : stderr;
}

function loggerTo(lines: DestinationStream, level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error: unknown) => errorField(error, level) },
    },
    lines,
  );
}

/**
 * A server that is out of reach, or refuses, is no fault of the program's: one line says it, and a stack would only hide it. Lines of
 * all other errors have theirs.
 */
export function errorField(error: unknown, level: string): unknown {
  const isOfServer = isError(error, "unavailable") || isError(error, "failed_precondition");
  if (isOfServer && level !== "debug" && level !== "trace") return error.message;
  return error instanceof Error ? stdSerializers.err(error) : error;
}

function humanLines(to: DestinationStream): DestinationStream {
  return {
    write(line) {
      const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const shown = Object.entries(fields).map(([name, value]) => ` ${name}=${fieldText(value)}`);
      to.write(`${time} ${String(level).padEnd(5)} ${msg}${shown.join("")}\n`);
    },
  };
}

function fieldText(value: unknown): string {
  if (typeof value === "string") return /[\s"]/.test(value) ? JSON.stringify(value) : value;
  if (typeof value === "object" && value !== null && "stack" in value) return String(value.stack);
  return JSON.stringify(value);
}
