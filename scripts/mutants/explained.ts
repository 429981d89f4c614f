/** Mutants that no test can kill, or need not, and why. One that is not there any more, or is killed, is an error. */
export interface Explained {
  readonly file: string;
  /** The line, without indentation. */
  readonly text: string;
  readonly change: string;
  readonly why: string;
}

export const EXPLAINED: readonly Explained[] = [];
