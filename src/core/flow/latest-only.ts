/** Work of which only the latest is wanted: what was begun before is aborted. */
export class LatestOnly {
  #stopping = new AbortController();

  start(work: (signal: AbortSignal) => Promise<void>): void {
    this.#stopping.abort();
    this.#stopping = new AbortController();
    void work(this.#stopping.signal);
  }

  stop(): void {
    this.#stopping.abort();
  }
}
