import type * as z from "zod";
import { PermanentError } from "./define-jobs.ts";
import { notAnObject, notKnown } from "./payload-words.ts";

/** What a built-in handler was given, checked. A payload that is wrong stays wrong: no retry. */
export function checkPayload<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  payload: unknown,
): z.output<z.ZodObject<Shape>> {
  const checked = schema.safeParse(payload);
  if (checked.success) return checked.data;
  const fields = Object.keys(schema.shape);
  // Of one field, the first thing that is wrong tells enough.
  const problems = new Map<string, string>();
  for (const issue of checked.error.issues) {
    for (const [path, message] of wordsOf(issue, payload, fields)) {
      const at = ["payload", ...path.map(String)].join(".");
      if (!problems.has(at)) problems.set(at, message);
    }
  }
  throw new PermanentError([...problems].map(([at, message]) => `${at}: ${message}`).join("; "));
}

function wordsOf(
  issue: z.core.$ZodIssue,
  payload: unknown,
  fields: readonly string[],
): readonly (readonly [path: readonly PropertyKey[], message: string])[] {
  const { path, message } = issue;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => [[...path, key], notKnown(fields)]);
    // Its own message does not say what is wrong with the name.
    case "invalid_key":
      return [[path, issue.issues[0]?.message ?? message]];
    case "invalid_type":
      return [[path, path.length === 0 ? notAnObject(payload, fields) : message]];
    default:
      return [[path, message]];
  }
}
