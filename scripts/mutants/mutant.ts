export interface Mutant {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** What becomes of what, in one line: names the mutant, with its line, in the list of equivalents. */
  readonly what: string;
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
