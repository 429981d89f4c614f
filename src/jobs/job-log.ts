/** What a handler says while it runs: `ctx.log("half way", { rows: 5_000 })`, or `ctx.log.warn(…)`. */
import type { LogLevel } from "../core/log/log-line.ts";

/** Told beside the text; what JSON cannot carry is shown as text. An error has its name, message and stack. */
export type LogFields = Readonly<Record<string, unknown>> | Error;

/** Writes one line. It never throws, and never waits. */
export type SayLine = (text: string, fields?: LogFields) => void;

/** Itself, it says at level info. */
export interface JobLog extends SayLine, Readonly<Record<LogLevel, SayLine>> {}

export function jobLog(say: (level: LogLevel, text: unknown, fields: unknown) => void): JobLog {
  const at =
    (level: LogLevel): SayLine =>
    (text, fields) =>
      say(level, text, fields);
  const info = at("info");
  return Object.assign<SayLine, Record<LogLevel, SayLine>>((text, fields) => info(text, fields), {
    debug: at("debug"),
    info,
    warn: at("warn"),
    error: at("error"),
  });
}
