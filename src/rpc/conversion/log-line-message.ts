import { create, type JsonObject } from "@bufbuild/protobuf";
import type { NumberedLine } from "../../core/log/log-line.ts";
import { type JobLogLine, JobLogLineSchema, LogLevel } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { timestampOf } from "./proto-time.ts";

const LEVEL = {
  debug: LogLevel.DEBUG,
  info: LogLevel.INFO,
  warn: LogLevel.WARN,
  error: LogLevel.ERROR,
} as const;

export function logLineToMessage({ sequence, at, level, kind, text, fields }: NumberedLine): JobLogLine {
  return create(JobLogLineSchema, {
    sequence,
    at: timestampOf(at),
    level: LEVEL[level],
    text,
    ...(fields !== null && { fields: JSON.parse(fields) as JsonObject }),
    printed: kind === "printed",
    mark: kind === "mark",
  });
}
