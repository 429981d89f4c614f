/** Job ids: whole numbers below 2^53 inside, strings on the wire (JavaScript and JSON round larger numbers). */
import { invalidArgument, quote } from "../../core/errors.ts";

/** Throws `invalid_argument`, naming the field, for what no job can have as its id. */
export function jobIdFromString(text: string, field = "jobId"): number {
  const id = readJobId(text);
  if (id !== null) return id;
  const message =
    text === ""
      ? "is required: a job's id, as AddJob returns it"
      : `${quote(text)} is not a job's id; a positive whole number in decimal is accepted, as AddJob returns it`;
  throw invalidArgument([{ field, message }]);
}

/** Null: no job can have it as its id. */
export function readJobId(text: string): number | null {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(id) ? id : null;
}

export function jobIdToString(jobId: number): string {
  return String(jobId);
}
