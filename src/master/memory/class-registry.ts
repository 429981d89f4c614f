import { ElasticJobError } from "../../core/errors.ts";
import { OneAtATime } from "../../core/flow/one-at-a-time.ts";
import type { JobClass, JobSpec } from "../../core/job.ts";
import type { MasterContext } from "../context.ts";

/** Callers choose labels freely, so their combinations need a bound. */
const MAX_CLASSES = 10_000;

function classKey(handler: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([handler, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Whether the same nodes can take both. */
export function isSameClass(one: JobSpec, other: JobSpec): boolean {
  return (
    classKey(one.handler, one.requirements.labels) === classKey(other.handler, other.requirements.labels)
  );
}

/** Which small number stands for what a node must have. */
export class ClassRegistry {
  private readonly context: MasterContext;
  private readonly byKey = new Map<string, JobClass>();
  private readonly byId = new Map<number, JobClass>();
  private readonly adding = new OneAtATime<string, JobClass>();
  private readonly added: (jobClass: JobClass) => void;

  /** `added` hears of each class that is new in the database, and so has no jobs yet. */
  constructor(context: MasterContext, added: (jobClass: JobClass) => void) {
    this.context = context;
    this.added = added;
  }

  async load(): Promise<void> {
    for (const jobClass of await this.context.store.readClasses()) this.remember(jobClass);
  }

  all(): IterableIterator<JobClass> {
    return this.byId.values();
  }

  get(id: number): JobClass | undefined {
    return this.byId.get(id);
  }

  /** The class of a job, if it has been seen before. */
  find(spec: JobSpec): JobClass | undefined {
    return this.byKey.get(classKey(spec.handler, spec.requirements.labels));
  }

  async findOrAdd(spec: JobSpec): Promise<JobClass> {
    const found = this.find(spec);
    if (found) return found;
    return this.adding.share(classKey(spec.handler, spec.requirements.labels), () => this.add(spec));
  }

  private nextId = 1;

  private async add(spec: JobSpec): Promise<JobClass> {
    if (this.byId.size >= MAX_CLASSES) {
      throw new ElasticJobError(
        "resource_exhausted",
        `requirements.labels: there are ${MAX_CLASSES} combinations of handler and labels already`,
      );
    }
    const jobClass = { id: this.nextId++, handler: spec.handler, labels: spec.requirements.labels };
    await this.context.store.addClass(this.context.epoch, jobClass);
    this.remember(jobClass);
    this.added(jobClass);
    return jobClass;
  }

  private remember(jobClass: JobClass): void {
    this.byKey.set(classKey(jobClass.handler, jobClass.labels), jobClass);
    this.byId.set(jobClass.id, jobClass);
    this.nextId = Math.max(this.nextId, jobClass.id + 1);
  }
}
