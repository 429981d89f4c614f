/**
 * Mutants that no test can tell from the original, and why. An entry that names none, or one that a
 * test kills, is an error: so the list stays true.
 */
export interface Equivalent {
  readonly file: string;
  /** The line on which the mutated text begins, without what is around it. */
  readonly line: string;
  /** As it is listed. */
  readonly what: string;
  readonly why: string;
}

export const EQUIVALENTS: readonly Equivalent[] = [];
