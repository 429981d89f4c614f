/** What the settings that say how long something is kept have in common: parts by commas, and ages. */

/** Nothing goes before. */
export const SHORTEST_AGE_MS = 3_600_000;
export const LONGEST_AGE_DAYS = 36_500;

const UNIT_MS = new Map([
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** `name=value`, by commas, each name once. What is wrong goes to `problems`. */
export function pairsOf(text: string, example: string, problems: string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const item of text.split(",").map((part) => part.trim())) {
    if (item === "") continue;
    const [name = "", value, ...rest] = item.split("=").map((part) => part.trim());
    if (value === undefined || rest.length > 0) {
      problems.push(`${JSON.stringify(item)} is not name=value, such as ${example}`);
    } else if (pairs.has(name)) problems.push(`${name} is given twice`);
    else pairs.set(name, value);
  }
  return pairs;
}

/** Null: it is no age from SHORTEST_AGE_MS to LONGEST_AGE_DAYS. */
export function ageMsOf(text: string): number | null {
  const [, digits = "", unit = ""] = /^(\d{1,15})([smhd])$/.exec(text) ?? [];
  const ms = Number(digits) * (UNIT_MS.get(unit) ?? Number.NaN);
  return ms >= SHORTEST_AGE_MS && ms <= LONGEST_AGE_DAYS * 86_400_000 ? ms : null;
}
