import type { Execution } from "./executors.ts";

/** Beyond so many, a line tells how many there were. */
const MOST_NAMED = 10;

/** Which jobs a log line is about: the one of this key, or all of them where nobody knows which it was. */
export function namedJobs(
  running: ReadonlyMap<number, { readonly execution: Execution }>,
  key: number | null,
): object {
  const one = key === null ? undefined : running.get(key);
  if (one !== undefined) return nameOf(one.execution);
  const named = [...running.values()].slice(0, MOST_NAMED).map(({ execution }) => nameOf(execution));
  return { running: running.size, jobs: named };
}

function nameOf({ jobId, name, handler, claim, attempt }: Execution): object {
  return { jobId, name, handler, claim, attempt };
}
