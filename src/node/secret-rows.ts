/** A long secret is shown line by line: its own lines, and the rows in which tools write what they have encoded. */

/** Shorter ones would be found in texts that have nothing to do with them. */
const MIN_ROW_CHARACTERS = 16;
/** `-----BEGIN PRIVATE KEY-----`: every such file has it. */
const BOUNDARY = /^-----.*-----$/;

/** The lines of a text that has several, without the space around them. */
export function linesOf(value: string): string[] {
  if (!value.includes("\n")) return [];
  const lines = value.split("\n").map((line) => line.trim());
  return lines.filter((line) => line.length >= MIN_ROW_CHARACTERS && !BOUNDARY.test(line));
}

/** Each row for itself, and all of them together, as the last may be too short to be looked for alone. */
export function rowsOf(encoded: string, width: number): string[] {
  if (encoded.length <= width) return [];
  const rows: string[] = [];
  for (let at = 0; at < encoded.length; at += width) rows.push(encoded.slice(at, at + width));
  return [rows.join("\n"), ...rows.filter((row) => row.length >= MIN_ROW_CHARACTERS)];
}
