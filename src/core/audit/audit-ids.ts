import type { Random } from "../random.ts";

const PREFIX_BITS = 32;
/** So many records of one process would have to be of one millisecond to meet each other. */
const SEQUENCES = 2 ** 20;

/** Ids of audit records: 32 bits by chance for the process, and 20 that go up. Chosen before the write, so that it can be repeated. */
export class AuditIds {
  readonly #prefix: number;
  #sequence = 0;

  constructor(random: Random) {
    this.#prefix = Math.floor(random.next() * 2 ** PREFIX_BITS) * SEQUENCES;
  }

  next(): number {
    this.#sequence = (this.#sequence + 1) % SEQUENCES;
    return this.#prefix + this.#sequence;
  }
}
