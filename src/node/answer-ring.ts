/**
 * The short answers of a thread, in memory that it shares with the node: each is there for the node at
 * once, whatever the thread does next, and without a message of its own. One side writes, the other
 * reads; both count the bytes that they have passed since the start, modulo 2^32.
 */
const CAPACITY = 1 << 16;
/** Fields at the start, as 32-bit numbers. */
const WRITTEN = 0;
const READ = 1;
const DATA_START = 8;
/** Before each answer: its execution's key, and the bytes of its output. */
const HEAD = 8;
const NO_OUTPUT = -1;
/** Instead of that number: nothing more before the end, where the ring goes on at its start. */
const SKIP = -2;
/** Longer outputs go as messages. */
const MAX_CHARACTERS = 1024;
const MOST_BYTES_A_CHARACTER = 3;

export function createAnswerRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(DATA_START + CAPACITY);
}

class AnswerRing {
  protected readonly counts: Int32Array;
  protected readonly heads: Int32Array;
  protected readonly data: Buffer;

  constructor(memory: SharedArrayBuffer) {
    this.counts = new Int32Array(memory, 0, DATA_START / Int32Array.BYTES_PER_ELEMENT);
    this.heads = new Int32Array(memory, DATA_START);
    this.data = Buffer.from(memory, DATA_START);
  }
}

/** The thread's end of it. */
export class AnswerWriter extends AnswerRing {
  private written = 0;

  /** An execution has succeeded. False: there is no room for that here. */
  write(key: number, output: string | null): boolean {
    const characters = output?.length ?? 0;
    if (characters > MAX_CHARACTERS) return false;
    const most = HEAD + roundedUp(characters * MOST_BYTES_A_CHARACTER);
    let at = offsetOf(this.written);
    const skipped = at + most > CAPACITY ? CAPACITY - at : 0;
    const used = (this.written - Atomics.load(this.counts, READ)) >>> 0;
    if (used + skipped + most > CAPACITY) return false;
    if (skipped > 0) {
      this.setHead(at, 0, SKIP);
      at = 0;
    }
    const bytes = output === null ? NO_OUTPUT : this.data.write(output, at + HEAD, "utf8");
    this.setHead(at, key, bytes);
    this.written = (this.written + skipped + HEAD + roundedUp(Math.max(0, bytes))) | 0;
    // Last: what is before it is whole for whoever sees it, also when the thread is stopped in between.
    Atomics.store(this.counts, WRITTEN, this.written);
    return true;
  }

  private setHead(at: number, key: number, bytes: number): void {
    this.heads[at / Int32Array.BYTES_PER_ELEMENT] = key;
    this.heads[at / Int32Array.BYTES_PER_ELEMENT + 1] = bytes;
  }
}

/** The node's end of it. */
export class AnswerReader extends AnswerRing {
  private read = 0;

  /** Calls back with each answer since the last time. */
  take(answered: (key: number, output: string | null) => void): void {
    while (this.read !== Atomics.load(this.counts, WRITTEN)) {
      const at = offsetOf(this.read);
      const index = at / Int32Array.BYTES_PER_ELEMENT;
      const key = this.heads[index] ?? 0;
      const bytes = this.heads[index + 1] ?? SKIP;
      const isAnswer = bytes !== SKIP;
      const output = bytes < 0 ? null : this.data.toString("utf8", at + HEAD, at + HEAD + bytes);
      this.read = (this.read + (isAnswer ? HEAD + roundedUp(Math.max(0, bytes)) : CAPACITY - at)) | 0;
      Atomics.store(this.counts, READ, this.read);
      if (isAnswer) answered(key, output);
    }
  }
}

function offsetOf(count: number): number {
  return count & (CAPACITY - 1);
}

/** So that there is room for a head before the end, and each begins at a multiple of its size. */
function roundedUp(bytes: number): number {
  return (bytes + HEAD - 1) & -HEAD;
}
