/** What a cluster has written: its jobs as they stand, and the results in the order in which they were written. */
import type { JobRecord, ResultRecord } from "../core/job.ts";
import type { JobStore, ResultWrite } from "../store/job-store.ts";

export class WrittenRows {
  /** The store, as nodes are to use it. */
  readonly store: JobStore;
  /** By id; those that were deleted are gone. */
  readonly jobs = new Map<number, JobRecord>();
  readonly results: ResultRecord[] = [];
  readonly #raw: JobStore;
  /** By id, also of jobs that are gone. */
  readonly #handlers = new Map<number, string>();
  readonly #nodes = new Map<number, string>();
  /** Jobs that may not be as `jobs` has them. */
  readonly #changed = new Set<number>();
  /** Claims that have their row: a write may be repeated. */
  readonly #ended = new Set<string>();

  constructor(raw: JobStore) {
    this.#raw = raw;
    this.store = {
      ...raw,
      registerNode: async (incarnation, nodeId) => {
        const number = await raw.registerNode(incarnation, nodeId);
        this.#nodes.set(number, nodeId);
        return number;
      },
      insertJobs: (epoch, jobs, keys) => {
        for (const { id, spec } of jobs) {
          this.#changed.add(id);
          this.#handlers.set(id, spec.handler);
        }
        return raw.insertJobs(epoch, jobs, keys);
      },
      claimJobs: (epoch, node, claims, now) => {
        for (const { jobId } of claims) this.#changed.add(jobId);
        return raw.claimJobs(epoch, node, claims, now);
      },
      projectJobs: (projections, epoch) => {
        for (const { jobId } of projections) this.#changed.add(jobId);
        return raw.projectJobs(projections, epoch);
      },
      changeJob: (epoch, change) => {
        this.#changed.add(change.jobId);
        return raw.changeJob(epoch, change);
      },
      deleteJob: (epoch, jobId, guard) => {
        this.#changed.add(jobId);
        return raw.deleteJob(epoch, jobId, guard);
      },
      writeResults: async (rows) => this.#wrote(rows, await raw.writeResults(rows)),
      writeFinalRows: async (epoch, rows) => this.#wrote(rows, await raw.writeFinalRows(epoch, rows)),
    };
  }

  handlerOf(jobId: number): string {
    return this.#handlers.get(jobId) ?? "";
  }

  /** Whether some job has, or had, this handler. */
  hasHandler(name: string): boolean {
    return this.#handlers.values().some((handler) => handler === name);
  }

  readonly nodeName = (number: number): string => this.#nodes.get(number) ?? `#${number}`;

  /** Reads what is new. */
  async read(): Promise<void> {
    const ids = [...this.#changed];
    this.#changed.clear();
    const found = await this.#raw.readJobs(ids);
    for (const id of ids) {
      const job = found.get(id);
      if (job === undefined) this.jobs.delete(id);
      else this.jobs.set(id, job);
      if (job !== undefined) this.#handlers.set(id, job.spec.handler);
    }
  }

  #wrote(rows: readonly ResultRecord[], outcomes: ResultWrite[]): ResultWrite[] {
    for (const [index, row] of rows.entries()) {
      const claim = `${row.jobId}/${row.claim}`;
      if (outcomes[index] !== "first" || this.#ended.has(claim)) continue;
      this.#ended.add(claim);
      this.results.push(row);
    }
    return outcomes;
  }
}
