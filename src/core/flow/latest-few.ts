/**
 * What is under way, at most so many at once: one more puts out the one that has been there for longest. So whoever
 * fills it with what never ends only puts out his own, while what ends soon is hardly ever met.
 */
export class LatestFew<T> {
  private readonly most: number;
  private readonly putOut: (item: T) => void;
  private readonly items = new Set<T>();

  constructor(most: number, putOut: (item: T) => void) {
    this.most = most;
    this.putOut = putOut;
  }

  add(item: T): void {
    if (this.items.size >= this.most) {
      const [oldest] = this.items;
      if (oldest !== undefined) {
        this.items.delete(oldest);
        this.putOut(oldest);
      }
    }
    this.items.add(item);
  }

  /** False: it was put out, or had ended. */
  delete(item: T): boolean {
    return this.items.delete(item);
  }

  get size(): number {
    return this.items.size;
  }
}
