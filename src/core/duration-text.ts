/** Durations as people write them: 500ms, 3m, 1h30m, 1.5h, 2d. */
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|[smhd])/g;
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/;
/** More could not be told from a slip, and no bound is that far. */
const MAX_CHARACTERS = 40;

export const DURATION_EXAMPLES = "500ms, 10s, 5m, 1h30m or 2d";

/** In milliseconds, whole ones; null: it is none. */
export function durationOfText(text: string): number | null {
  if (text.length > MAX_CHARACTERS || !WHOLE.test(text)) return null;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(PART)) ms += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  return Math.round(ms);
}

/** As protobuf's JSON has it; null: it is none. */
export function protoDurationOfText(text: string): `${number}s` | null {
  const ms = durationOfText(text);
  // Millisecond precision is what the service keeps; more digits could print as 1e-7.
  return ms === null || ms > Number.MAX_SAFE_INTEGER ? null : `${ms / 1_000}s`;
}
