/** A small master that keeps everything in memory and runs nothing: enough to serve every call honestly. */
import type { MasterStream, StreamHandler } from "../../../src/coordination/network.ts";
import { ElasticJobError } from "../../../src/core/errors.ts";
import {
  farEnd,
  hasEnded,
  type JobRecord,
  type JobSpec,
  STORED_STATUS,
  type StoredStatus,
} from "../../../src/core/job.ts";
import type { AddedJob, JobApi, JobView } from "../../../src/master/job-api.ts";
import { recordOf } from "../../unit/core/job-fixture.ts";
import { realClock } from "./real-time.ts";

export interface MemoryJobApi extends JobApi {
  readonly jobs: Map<number, JobRecord>;
  /** The specs and key of each addJobs call. */
  readonly calls: { readonly count: number; readonly key: string | null }[];
  setStatus(jobId: number, status: StoredStatus): JobView;
  /** How far cluster time is ahead of this machine's clock. */
  clusterAheadMs: number;
  /** Called with each stream that a node opens. */
  onStream: (stream: MasterStream) => StreamHandler;
  /** When set, addJobs first does this. */
  beforeAdd: (() => Promise<void>) | null;
}

export function memoryJobApi(): MemoryJobApi {
  const jobs = new Map<number, JobRecord>();
  const answers = new Map<string, (AddedJob | ElasticJobError)[]>();
  const byKey = new Map<string, number>();
  const triggered = new Map<string, number>();
  let nextId = 1;
  let watchers: (() => void)[] = [];

  const changed = (): void => {
    const called = watchers;
    watchers = [];
    for (const wake of called) wake();
  };
  const find = (jobId: number): JobRecord => {
    const job = jobs.get(jobId);
    if (job === undefined) throw new ElasticJobError("not_found", `jobId: no job ${jobId}`);
    return job;
  };
  const view = (record: JobRecord): JobView => ({
    record,
    prepared: record.status === STORED_STATUS.WAITING && record.at <= realClock.now(),
    reason: "",
    lastResult: null,
  });
  const addOne = (spec: JobSpec): AddedJob | ElasticJobError => {
    if (spec.handler === "unknown") {
      return new ElasticJobError("failed_precondition", "handler: no node offers unknown");
    }
    const known = spec.idempotencyKey === null ? undefined : byKey.get(spec.idempotencyKey);
    if (known !== undefined) return { jobId: known, created: false, nextRunAt: find(known).at };
    const id = nextId++;
    const now = realClock.now();
    const at = spec.schedule.kind === "timed" ? spec.schedule.runAt : now;
    jobs.set(id, recordOf({ id, at, scheduledAt: at, createTime: now, updateTime: now, spec }));
    if (spec.idempotencyKey !== null) byKey.set(spec.idempotencyKey, id);
    return { jobId: id, created: true, nextRunAt: at };
  };

  const setStatus = (jobId: number, status: StoredStatus): JobView => {
    const job = find(jobId);
    const at = status >= STORED_STATUS.SUCCEEDED ? farEnd(realClock.now()) : job.scheduledAt;
    const next = { ...job, status, at };
    jobs.set(jobId, next);
    changed();
    return view(next);
  };

  const api: MemoryJobApi = {
    clusterAheadMs: 0,
    jobs,
    calls: [],
    beforeAdd: null,
    onStream: () => ({ message() {}, closed() {} }),
    async addJobs(specs, key, part = null) {
      const callKey = part === null || key === null ? key : `${key}/${part.jobs}/${part.first}`;
      api.calls.push({ count: specs.length, key });
      await api.beforeAdd?.();
      const known = callKey === null ? undefined : answers.get(callKey);
      if (known !== undefined) return known.map((a) => (a instanceof Error ? a : { ...a, created: false }));
      const added = specs.map((item) => (item instanceof ElasticJobError ? item : addOne(item)));
      if (callKey !== null) answers.set(callKey, added);
      return added;
    },
    async updateJob(jobId, revision, change) {
      const job = find(jobId);
      if (revision !== null && revision !== job.revision) {
        throw new ElasticJobError(
          "failed_precondition",
          `revision: the job is at ${job.revision}, not at ${revision}`,
        );
      }
      const next = { ...job, spec: change(job.spec), revision: job.revision + 1 };
      jobs.set(jobId, next);
      changed();
      return view(next);
    },
    async deleteJob(jobId) {
      find(jobId);
      jobs.delete(jobId);
      changed();
    },
    pauseJob: async (jobId) => setStatus(jobId, STORED_STATUS.PAUSED),
    resumeJob: async (jobId) => setStatus(jobId, STORED_STATUS.WAITING),
    async cancelJob(jobId, scheduledAt) {
      const job = find(jobId);
      const isMeant = scheduledAt === null || scheduledAt === job.scheduledAt;
      return isMeant ? setStatus(jobId, STORED_STATUS.CANCELLED) : view(job);
    },
    retryJob: async (jobId) => setStatus(jobId, STORED_STATUS.WAITING),
    async triggerJob(jobId, callKey) {
      const known = callKey === null ? undefined : triggered.get(callKey);
      if (known !== undefined) return view(find(known));
      const { spec } = find(jobId);
      const added = addOne({ ...spec, schedule: { kind: "immediate" }, idempotencyKey: null });
      if (added instanceof ElasticJobError) throw added;
      const child = { ...find(added.jobId), parentId: jobId };
      jobs.set(child.id, child);
      if (callKey !== null) triggered.set(callKey, child.id);
      return view(child);
    },
    clusterTime: () => realClock.now() + api.clusterAheadMs,
    drainNode(nodeId) {
      throw new ElasticJobError("not_found", `nodeId: no node ${nodeId}`);
    },
    async readJob(jobId) {
      return view(find(jobId));
    },
    async *watchJob(jobId, signal) {
      let job: JobRecord | undefined = find(jobId);
      while (job !== undefined && !signal.aborted) {
        yield view(job);
        if (hasEnded(job)) return;
        await new Promise<void>((resolve) => {
          watchers.push(resolve);
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
        job = jobs.get(jobId);
      }
    },
    readCluster: () => ({
      epoch: 7,
      nodes: [
        {
          nodeId: "n1",
          address: "127.0.0.1:1",
          slots: 16,
          usedSlots: 1,
          handlers: ["echo"],
          labels: { zone: "a" },
          cpu: 0.5,
          freeMemoryMb: 100,
          draining: false,
        },
      ],
      waiting: jobs.size,
      prepared: 0,
      running: 0,
    }),
    acceptNode: (stream) => api.onStream(stream),
    setStatus,
  };
  return api;
}
