/** The reading side of a store, over arrays; what the rpc layer does not call is not there. */
import type { JobRecord, ResultRecord } from "../../../src/core/job.ts";
import type { JobFilter, JobStore, NodeRecord } from "../../../src/store/job-store.ts";

export interface ListStore {
  readonly jobs: JobRecord[];
  readonly results: ResultRecord[];
  readonly nodes: NodeRecord[];
  /** How often the nodes were read. */
  nodeReads: number;
  readonly store: JobStore;
}

export function listStore(jobsOf?: () => Iterable<JobRecord>): ListStore {
  const jobs: JobRecord[] = [];
  const results: ResultRecord[] = [];
  const nodes: NodeRecord[] = [];
  const matching = (filter: JobFilter): JobRecord[] =>
    [...(jobsOf?.() ?? jobs)]
      .filter((job) => filter.status === undefined || job.status === filter.status)
      .filter((job) => filter.dueBy === undefined || job.at <= filter.dueBy)
      .filter((job) => filter.dueAfter === undefined || job.at > filter.dueAfter)
      .filter((job) => filter.handler === undefined || job.spec.handler === filter.handler)
      .filter((job) => filter.namePrefix === undefined || job.spec.name.startsWith(filter.namePrefix))
      .sort((a, b) => b.id - a.id);
  const reading: Pick<JobStore, "listJobs" | "countJobs" | "listResults" | "readNodes"> = {
    async listJobs(filter, { before, limit }) {
      const rest = matching(filter).filter((job) => before === null || job.id < before);
      const items = rest.slice(0, limit);
      return { items, next: rest.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    async countJobs(filter, limit) {
      return Math.min(limit, matching(filter).length);
    },
    async listResults(filter, { before, limit }) {
      const rest = results
        .filter((row) => filter.jobId === undefined || row.jobId === filter.jobId)
        .filter((row) => filter.outcome === undefined || row.outcome === filter.outcome)
        .sort((a, b) => b.jobId - a.jobId || b.claim - a.claim)
        .filter(
          (row) =>
            before === null ||
            row.jobId < before.jobId ||
            (row.jobId === before.jobId && row.claim < before.claim),
        );
      const items = rest.slice(0, limit);
      const last = items.at(-1);
      const more = rest.length > limit && last !== undefined;
      return { items, next: more ? { jobId: last.jobId, claim: last.claim, late: last.late } : null };
    },
    async readNodes() {
      list.nodeReads += 1;
      return nodes;
    },
  };
  const list: ListStore = { jobs, results, nodes, nodeReads: 0, store: reading as JobStore };
  return list;
}
