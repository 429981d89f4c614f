/** The secrets of SECRETS_DIR in a thread: read for its jobs, and taken out of what those leave behind. */
import { readAllSecrets, readSecretFile } from "../jobs/secret-files.ts";
import type { JobSecrets } from "../jobs/secret-references.ts";
import { createScrubber, NOTHING_KNOWN, type Scrubber } from "./scrubber.ts";

/** So often at most the folder is looked at for secrets that nobody has asked for. */
const LOOK_EVERY_MS = 1_000;
/** Of values that were replaced, as many are remembered: jobs that were given one may still run. */
const MAX_KNOWN = 300;

export class ThreadSecrets implements JobSecrets {
  readonly #folder: string | null;
  readonly #now: () => number;
  /** Values, with their secret's name. */
  readonly #known = new Map<string, string>();
  #scrubber: Scrubber = NOTHING_KNOWN;
  #isStale = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(folder: string | null, now: () => number) {
    this.#folder = folder;
    this.#now = now;
  }

  /** The value as it is by now. Throws what the job can be told. */
  read(name: string): string {
    if (this.#folder === null)
      throw new Error(`the secret ${name} is not on this node: it has no SECRETS_DIR`);
    const value = readSecretFile(this.#folder, name);
    this.#remember(name, value);
    return value;
  }

  /** Knows what was read, and what lies in the folder. */
  get scrubber(): Scrubber {
    if (this.#folder === null) return NOTHING_KNOWN;
    if (this.#now() - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = this.#now();
      this.#look(this.#folder);
    }
    if (this.#isStale)
      this.#scrubber = createScrubber([...this.#known].map(([value, name]) => [name, value]));
    this.#isStale = false;
    return this.#scrubber;
  }

  head(text: string, length: number): string {
    return this.scrubber.head(text, length);
  }

  cut(text: string): string {
    return this.scrubber.cut(text);
  }

  #look(folder: string): void {
    try {
      for (const [name, value] of readAllSecrets(folder)) this.#remember(name, value);
    } catch {
      // The folder is gone, or is being replaced: what was known stays known.
    }
  }

  #remember(name: string, value: string): void {
    if (this.#known.has(value)) return;
    this.#known.set(value, name);
    this.#isStale = true;
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }
}
