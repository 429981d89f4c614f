/** One place of a source file, and what to put there. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** In words. */
  readonly change: string;
}

export interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}
