import type * as z from "zod";
import { PermanentError } from "./define-jobs.ts";

/** What a built-in handler was given, checked. A payload that is wrong stays wrong: no retry. */
export function checkPayload<T>(schema: z.ZodType<T>, payload: unknown): T {
  const checked = schema.safeParse(payload);
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(
    ({ path, message }) => `${["payload", ...path.map(String)].join(".")}: ${message}`,
  );
  throw new PermanentError(problems.join("; "));
}
