/** What large requests may hold, judged before anything is made of them. */
import { invalidArgument } from "../../../core/errors.ts";
import { shorten } from "../../../core/short-text.ts";

export interface LargeLimits {
  readonly maxPayloadBytes: number;
}

/** Jobs of a call, and templates of a table. The method itself says how many it takes. */
export const MAX_ITEMS = 10_000;
/** Of a job without its payload: some texts of a few hundred characters. */
export const MAX_OTHER_BYTES = 16 * 1024;

const MAX_SHOWN_CHARACTERS = 80;

export function tooManyItems(path: string): Error {
  const most = MAX_ITEMS.toLocaleString("en");
  return invalidArgument([{ field: path, message: `has more than ${most} jobs; 1 to ${most} are accepted` }]);
}

/** `sizes`: of the job's fields, by name, of which the largest is told. */
export function tooMuchBeside(
  prefix: string,
  sizes: Iterable<readonly [name: string, bytes: number]>,
): Error {
  let [field, most] = ["", 0];
  for (const [name, bytes] of sizes)
    if (bytes > most) [field, most] = [shorten(name, MAX_SHOWN_CHARACTERS), bytes];
  const message = `has ${most} bytes; up to ${MAX_OTHER_BYTES} are accepted of all that a job has beside its payload`;
  return invalidArgument([{ field: prefix + field, message }]);
}
