import { padToWidth, textWidth } from "./text-width.ts";

/** `--json` has all of it; here one long output must not push every other column out of sight. */
const MAX_CELL_CHARACTERS = 120;
const MAX_FIELD_CHARACTERS = 1_000;
const HALF_A_CHARACTER = /[\uD800-\uDBFF]$/;

/** Columns as wide as their widest cell. No colours and no lines: `grep`, `awk` and eyes all read it. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows.map((row) => row.map((cell) => oneLine(cell, MAX_CELL_CHARACTERS)))];
  const widths = header.map((_, column) =>
    lines.reduce((width, line) => Math.max(width, textWidth(line[column] ?? "")), 0),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => padToWidth(cell, widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Names and values below each other. Entries without a value are left out. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const shown = fields.filter(([, value]) => value !== "");
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(([name, value]) => `${name.padEnd(width)}  ${oneLine(value, MAX_FIELD_CHARACTERS)}`)
    .join("\n");
}

/** What people put into names and errors must neither break the table nor drive the terminal. */
export function oneLine(text: string, maxCharacters: number): string {
  const shown =
    text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters).replace(HALF_A_CHARACTER, "")}…`;
  return shown.replace(/\s+/g, " ").replace(/\p{Cc}|\p{Bidi_Control}/gu, "?");
}
