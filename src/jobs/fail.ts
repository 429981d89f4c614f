import { type HandlerContext, type HandlerJob, PermanentError } from "./define-jobs.ts";
import { instead, notAnObject, notKnown, TEXT, TRUE_OR_FALSE } from "./payload-words.ts";

const MAX_TIMES = 2_147_483_647;

const FIELDS: Readonly<
  Record<string, { readonly isGood: (given: unknown) => boolean; readonly accepted: string }>
> = {
  times: {
    isGood: (given) => Number.isInteger(given) && Number(given) >= 0 && Number(given) <= MAX_TIMES,
    accepted: `a whole number of attempts from 0 to ${MAX_TIMES} is`,
  },
  permanent: { isGood: (given) => typeof given === "boolean", accepted: TRUE_OR_FALSE },
  message: { isGood: (given) => typeof given === "string", accepted: TEXT },
};

/**
 * Fails `payload.times` attempts (default: all), then succeeds. With `payload.permanent` it fails for
 * good at once, as it does for a payload that is wrong. `payload.message` is the error's message.
 */
export function fail(job: HandlerJob, ctx: HandlerContext): { attempt: number } {
  const payload: unknown = job.payload ?? {};
  const problems = problemsOf(payload);
  if (problems.length > 0) throw new PermanentError(problems.join("; "));
  const {
    message = "failed as asked",
    permanent = false,
    times = Number.POSITIVE_INFINITY,
  } = payload as {
    readonly message?: string;
    readonly permanent?: boolean;
    readonly times?: number;
  };
  if (permanent) throw new PermanentError(message);
  if (ctx.attempt <= times) throw new Error(`${message} (attempt ${ctx.attempt})`);
  return { attempt: ctx.attempt };
}

/** By hand: each thread would be larger for a library of schemas. */
function problemsOf(payload: unknown): readonly string[] {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload))
    return [`payload: ${notAnObject(payload, Object.keys(FIELDS))}`];
  return Object.entries(payload).flatMap(([name, given]: [string, unknown]) => {
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (field === undefined) return [`payload.${name}: ${notKnown(Object.keys(FIELDS))}`];
    return field.isGood(given) ? [] : [`payload.${name}: ${instead(given, field.accepted)}`];
  });
}
