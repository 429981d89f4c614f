import { IDEMPOTENCY_KEY } from "../../core/call-headers.ts";
import { invalidArgument } from "../../core/errors.ts";
import type { CallContext } from "./master-call.ts";

/** Printable ASCII, as a header carries it; short enough for the database's key. */
const CALL_KEY = /^[\x20-\x7e]{1,200}$/;

/** The caller's own name for the call; null: none. */
export function callKey(context: CallContext): string | null {
  return checkCallKey("Idempotency-Key", context.requestHeader.get(IDEMPOTENCY_KEY));
}

export function checkCallKey(field: string, key: string | null): string | null {
  if (key === null || CALL_KEY.test(key)) return key;
  const message = `is ${key.length} characters long or not plain ASCII; 1 to 200 printable characters are accepted`;
  throw invalidArgument([{ field, message }]);
}
