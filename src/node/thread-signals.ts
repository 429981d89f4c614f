/**
 * What a thread shows of itself in shared memory, so that it can be read while the thread is blocked.
 * Keys of executions go up by one each, and wrap around after 2^32.
 */
const TURNS = 0;
const INSIDE = 1;
const TAKEN = 2;
const FIELDS = 3;
const NOBODY = 0;

export function createSignals(): SharedArrayBuffer {
  return new SharedArrayBuffer(FIELDS * Int32Array.BYTES_PER_ELEMENT);
}

/** The thread's end of it. */
export class ThreadSignals {
  private readonly fields: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.fields = new Int32Array(memory);
  }

  turned(): void {
    Atomics.add(this.fields, TURNS, 1);
  }

  took(key: number): void {
    Atomics.store(this.fields, TAKEN, key);
  }

  /** Calls into an execution's code: if that never returns, everybody can see whose it was. */
  inside<T>(key: number, call: () => T): T {
    Atomics.store(this.fields, INSIDE, key);
    try {
      return call();
    } finally {
      Atomics.store(this.fields, INSIDE, NOBODY);
    }
  }
}

/** The node's end of it. */
export class SignalReader {
  private readonly fields: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.fields = new Int32Array(memory);
  }

  /** Goes up as long as the thread's event loop turns. */
  get turns(): number {
    return Atomics.load(this.fields, TURNS);
  }

  /** The execution whose code was called and has not returned; null: not known, as after an `await`. */
  get inside(): number | null {
    const key = Atomics.load(this.fields, INSIDE);
    return key === NOBODY ? null : key;
  }

  /** Whether the thread has begun this execution. */
  hasTaken(key: number): boolean {
    return ((Atomics.load(this.fields, TAKEN) - key) | 0) >= 0;
  }
}

export function nextKey(key: number): number {
  const next = (key + 1) | 0;
  return next === NOBODY ? 1 : next;
}
