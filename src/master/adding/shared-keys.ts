/** What a mastership knows of keys that many calls share. Bounded: of others, each call looks for its rows first. */

const MAX_KEYS = 1_000;

export interface SharedKey {
  readonly firstId: number;
  /** In cluster time: to be looked up again after that. */
  readonly expiresAt: number;
  /** Nobody has asked for the jobs from this place on. */
  untried: number;
  readonly underWay: Set<Promise<unknown>>;
}

export class SharedKeys {
  /** Oldest first. */
  private readonly known = new Map<string, SharedKey>();
  private readonly unused = new Map<string, number>();

  get(key: string): SharedKey | undefined {
    return this.known.get(key);
  }

  /** `adding`: what is under way of it now. */
  remember(key: string, shared: Omit<SharedKey, "underWay">, adding: Promise<unknown>): void {
    const known = { ...shared, underWay: new Set<Promise<unknown>>() };
    this.known.delete(key);
    this.known.set(key, known);
    track(known, adding);
    for (const [old, { underWay }] of this.known) {
      if (this.known.size <= MAX_KEYS) break;
      if (underWay.size === 0) this.known.delete(old);
    }
  }

  /** Keeps a block of ids of which nothing was stored, for the next call of its key. */
  keepBlock(key: string, firstId: number): void {
    if (this.unused.size >= MAX_KEYS) this.unused.clear();
    this.unused.set(key, firstId);
  }

  takeBlock(key: string): number | undefined {
    const firstId = this.unused.get(key);
    this.unused.delete(key);
    return firstId;
  }
}

export function track({ underWay }: SharedKey, adding: Promise<unknown>): void {
  underWay.add(adding);
  const end = () => underWay.delete(adding);
  adding.then(end, end);
}
