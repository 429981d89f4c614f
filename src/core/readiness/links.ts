import type { Logger } from "../logger.ts";

/** Nodes are few; what was known of more addresses than that is old. */
const MOST_ADDRESSES = 100;

/**
 * What keeps connections to other nodes from being made, by address: a certificate, or who answers there. A connection that
 * is open says nothing of that, so the last try counts. Each cause is told once, and that it is over.
 */
export class Links {
  readonly #logger: Pick<Logger, "info" | "error">;
  readonly #problems = new Map<string, string>();

  constructor(logger: Pick<Logger, "info" | "error">) {
    this.#logger = logger;
  }

  failed(address: string, why: string): void {
    if (this.#problems.get(address) === why) return;
    if (this.#problems.size >= MOST_ADDRESSES) this.#problems.clear();
    this.#problems.set(address, why);
    this.#logger.error({ address }, why);
  }

  /** One was made, and both sides have proved that they belong together. */
  made(address: string): void {
    if (this.#problems.delete(address))
      this.#logger.info({ address }, "connections to that node are made again");
  }

  /** null: none is known. */
  problemAt(address: string): string | null {
    return this.#problems.get(address) ?? null;
  }
}
