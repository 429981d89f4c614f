/** What is under way for each key, so that whoever comes with the same key waits for it, or shares it. */
export class OneAtATime<Key, Result = unknown> {
  private readonly underWay = new Map<Key, Promise<Result>>();

  has(key: Key): boolean {
    return this.underWay.has(key);
  }

  /** Marks the keys until `work` settles. None of them may be marked already. */
  mark(keys: readonly Key[], work: Promise<Result>): void {
    for (const key of keys) this.underWay.set(key, work);
    const clear = () => {
      for (const key of keys) this.underWay.delete(key);
    };
    work.then(clear, clear);
  }

  /** Waits for its turn, then runs `work` alone. */
  async alone<T extends Result>(key: Key, work: () => Promise<T>): Promise<T> {
    // Looked at again after each wait: of many that waited, one has begun by then.
    while (this.has(key)) await this.free(key);
    const result = work();
    this.mark([key], result);
    return result;
  }

  /** What is under way for the key, else what `work` now begins: all who ask meanwhile get the same outcome. */
  share(key: Key, work: () => Promise<Result>): Promise<Result> {
    const begun = this.underWay.get(key);
    if (begun !== undefined) return begun;
    const result = work();
    this.mark([key], result);
    return result;
  }

  /** Resolves when nothing is under way for the key. */
  async free(key: Key): Promise<void> {
    for (let other = this.underWay.get(key); other !== undefined; other = this.underWay.get(key)) {
      await other.catch(() => undefined);
    }
  }

  /** Resolves when nothing is under way for any key. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled(this.underWay.values());
  }
}
