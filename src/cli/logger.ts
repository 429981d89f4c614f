import { type DestinationStream, destination, pino, stdSerializers, stdTimeFunctions } from "pino";
import type { Logger } from "../core/logger.ts";

/** Logs to stderr, synchronously, so that the last lines before an exit are there. `human`: lines for a terminal. */
export function createLogger(level: string, human: boolean): Logger {
  const stderr = destination({ dest: 2, sync: true });
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
    },
    human ? humanLines(stderr) : stderr,
  );
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
