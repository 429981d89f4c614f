/** A job's idempotency key as it is stored: calls as a whole, children, and jobs that were deleted have keys beside it, with prefixes of their own. */
const PREFIX = "job:";

export function jobKeyOf(idempotencyKey: string): string {
  return PREFIX + idempotencyKey;
}

export function isJobKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** Under it stands that a job was there and was deleted, for as long as the call that added it may be made again. */
export function goneKeyOf(jobId: number): string {
  return `gone:${jobId}`;
}
