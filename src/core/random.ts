/** Chance as everything in the project sees it: tests replace it with a seeded one. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A new identity of 128 random bits, as 32 hexadecimal digits. */
  id(): string;
}
