/** The secrets of SECRETS_DIR: a thread reads them for its jobs, and takes them out of what those leave behind. */
import { MAX_SECRET_FILES, readAllSecrets, readSecretFile } from "../jobs/secret-files.ts";
import type { JobSecrets } from "../jobs/secret-references.ts";
import { createScrubber, NOTHING_KNOWN, type Scrubber } from "./scrubber.ts";

/** So often at most the folder is looked at for secrets that nobody has asked for. */
const LOOK_EVERY_MS = 1_000;
/** With all that lie there, as many are remembered of those that were replaced: jobs that were given one may still run. */
const MAX_KNOWN = 2 * MAX_SECRET_FILES;

export class FolderSecrets implements JobSecrets {
  readonly #folder: string | null;
  readonly #now: () => number;
  readonly #tooMany: (files: number) => void;
  /** Values, with their secret's name: those that were seen last are the last. */
  readonly #known = new Map<string, string>();
  #scrubber: Scrubber = NOTHING_KNOWN;
  #isStale = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #hasTooMany = false;

  /** `tooMany` is told once, as soon as files are left out that nobody has asked for. */
  constructor(folder: string | null, now: () => number, tooMany: (files: number) => void = () => {}) {
    this.#folder = folder;
    this.#now = now;
    this.#tooMany = tooMany;
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
      const { secrets, files } = readAllSecrets(folder);
      for (const [name, value] of secrets) this.#remember(name, value);
      const hasTooMany = files > MAX_SECRET_FILES;
      if (hasTooMany && !this.#hasTooMany) this.#tooMany(files);
      this.#hasTooMany = hasTooMany;
    } catch {
      // The folder is gone, or is being replaced: what was known stays known.
    }
  }

  #remember(name: string, value: string): void {
    const before = this.#known.get(value);
    this.#known.delete(value);
    this.#known.set(value, before ?? name);
    if (before !== undefined) return;
    this.#isStale = true;
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }
}
