/** What large requests may hold, judged before anything is made of them. */
import { invalidArgument } from "../../../core/errors.ts";

export interface LargeLimits {
  readonly maxPayloadBytes: number;
}

/** Jobs of a call, and templates of a table. The method itself says how many it takes. */
export const MAX_ITEMS = 10_000;
/** Of a job without its payload: some texts of a few hundred characters. */
export const MAX_OTHER_BYTES = 16 * 1024;

export function tooManyItems(path: string): Error {
  const most = MAX_ITEMS.toLocaleString("en");
  return invalidArgument([{ field: path, message: `has more than ${most} jobs; 1 to ${most} are accepted` }]);
}

export function tooMuchBeside(prefix: string): Error {
  const field = prefix === "" ? "the job" : prefix.slice(0, -1);
  const message = `has more than ${MAX_OTHER_BYTES} bytes beside its payload; up to that are accepted`;
  return invalidArgument([{ field, message }]);
}
