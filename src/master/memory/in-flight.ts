/** At most one write about a job is in flight: whoever wants the next one waits for the one before. */
export class InFlight {
  private readonly writes = new Map<number, Promise<unknown>>();

  has(jobId: number): boolean {
    return this.writes.has(jobId);
  }

  /** Marks the jobs until `write` settles. None of them may be marked already. */
  mark(jobIds: readonly number[], write: Promise<unknown>): void {
    for (const id of jobIds) this.writes.set(id, write);
    const clear = () => {
      for (const id of jobIds) this.writes.delete(id);
    };
    write.then(clear, clear);
  }

  /** Resolves when no write is in flight. */
  async settled(): Promise<void> {
    while (this.writes.size > 0) await Promise.allSettled(this.writes.values());
  }

  /** Resolves when no write about this job is in flight. */
  async free(jobId: number): Promise<void> {
    for (let write = this.writes.get(jobId); write !== undefined; write = this.writes.get(jobId)) {
      await write.catch(() => undefined);
    }
  }

  /** Waits for its turn, then runs `work` alone on the job. */
  async alone<T>(jobId: number, work: () => Promise<T>): Promise<T> {
    for (let write = this.writes.get(jobId); write !== undefined; write = this.writes.get(jobId)) {
      await write.catch(() => undefined);
    }
    const result = work();
    this.mark([jobId], result);
    return result;
  }
}
