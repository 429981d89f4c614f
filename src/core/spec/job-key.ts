/** A job's idempotency key as it is stored: calls as a whole and children have keys beside it, with prefixes of their own. */
const PREFIX = "job:";

export function jobKeyOf(idempotencyKey: string): string {
  return PREFIX + idempotencyKey;
}

export function isJobKey(key: string): boolean {
  return key.startsWith(PREFIX);
}
