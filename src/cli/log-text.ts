import type { JobLogLine } from "../client/job-json.ts";

/** A line of a job's log. What jobs say must not drive the terminal, nor look like lines of another job: what follows a line break is moved in. */
export function logLineText({ at, level, text, fields, printed, mark }: JobLogLine): string {
  const name = mark ? "--" : level.replace("LOG_LEVEL_", "").toLowerCase();
  const told = fields === undefined ? "" : ` ${JSON.stringify(fields)}`;
  const from = printed ? "(printed) " : "";
  return `${at ?? ""} ${name.padEnd(5)} ${from}${harmless(text)}${harmless(told)}`;
}

function harmless(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]/gu, "?").replaceAll("\n", "\n  ");
}
