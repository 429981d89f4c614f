/** Tells whoever watches a job that it has changed. */
export class ChangedJobs {
  private readonly watchers = new Map<number, Set<() => void>>();

  changed(jobId: number): void {
    for (const wake of this.watchers.get(jobId) ?? []) wake();
  }

  /** Calls back at each change. Returns what stops it. */
  watch(jobId: number, wake: () => void): () => void {
    const watchers = this.watchers.get(jobId) ?? new Set();
    this.watchers.set(jobId, watchers.add(wake));
    return () => {
      watchers.delete(wake);
      if (watchers.size === 0) this.watchers.delete(jobId);
    };
  }
}
