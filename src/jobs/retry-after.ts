/** The longest wait that another server can ask for. */
const MAX_WAIT_MS = 86_400_000;

/** Milliseconds that a Retry-After header asks for: seconds, or a date; null: nothing that can be read. */
export function retryAfterMs(header: string | null, now: number): number | null {
  const text = header?.trim() ?? "";
  if (text === "") return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? null : Math.min(MAX_WAIT_MS, Math.max(0, ms));
}
