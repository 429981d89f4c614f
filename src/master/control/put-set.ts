/**
 * Makes a set of jobs be as described. One call at a time for each set: whoever describes it again waits, and finds it done.
 *
 * The set's row is written before its jobs, with the names of those that it had and those that it will have, and again after
 * them, with those that it has: so wherever a master dies in between, the next description finds every job that the set
 * may have, and an older generation is refused from the first write on.
 */
import { ElasticJobError, isError } from "../../core/errors.ts";
import { OneAtATime } from "../../core/flow/one-at-a-time.ts";
import { keyInSet } from "../../core/spec/job-set.ts";
import type { MasterContext } from "../context.ts";
import type { JobDescription, PutJob, PutSet, SetDescription, SetJobOutcome } from "../job-api.ts";

/** Jobs that are compared at once: their reads go together. */
const AT_ONCE = 20;

type Outcome = PutSet["outcomes"][number];

export class JobSets {
  private readonly context: MasterContext;
  private readonly parts: {
    /** The job that the key names; null: none. */
    readonly find: (key: string) => Promise<number | null>;
    readonly put: (described: JobDescription) => Promise<PutJob>;
    readonly remove: (jobId: number) => Promise<void>;
  };
  private readonly putting = new OneAtATime<string>();

  constructor(context: MasterContext, parts: JobSets["parts"]) {
    this.context = context;
    this.parts = parts;
  }

  put(described: SetDescription): Promise<PutSet> {
    const { set, generation, jobs, keepsMissing } = described;
    return this.putting.alone(set, async () => {
      const { store, epoch } = this.context;
      const known = await store.readJobSet(set);
      if (known !== null && isOlder(generation, known.generation)) {
        return { isApplied: false, generation: known.generation, outcomes: [] };
      }
      const names = jobs.map(({ name }) => name);
      const missing = (known?.jobs ?? []).filter((name) => !names.includes(name));
      const during = { name: set, generation, jobs: [...names, ...missing] };
      // Most often a node that starts finds all as it is to be.
      if (JSON.stringify(known) !== JSON.stringify(during)) await store.keepJobSet(epoch, during);
      const put = await each(jobs, async ({ name, described: job }) => {
        return { name, outcome: job instanceof ElasticJobError ? job : await outcomeOf(this.parts.put(job)) };
      });
      if (keepsMissing || missing.length === 0) return { isApplied: true, generation, outcomes: put };
      const deleted = await each(missing, (name) => this.removeFrom(set, name));
      const left = deleted
        .filter((one) => one?.outcome instanceof ElasticJobError)
        .map((one) => one?.name ?? "");
      await store.keepJobSet(epoch, { name: set, generation, jobs: [...names, ...left] });
      return { isApplied: true, generation, outcomes: [...put, ...deleted.filter((one) => one !== null)] };
    });
  }

  /** Null: it was gone. */
  private async removeFrom(set: string, name: string): Promise<Outcome | null> {
    const jobId = await this.parts.find(keyInSet(set, name));
    if (jobId === null) return null;
    try {
      await this.parts.remove(jobId);
      return { name, outcome: { kind: "deleted", jobId } };
    } catch (error) {
      if (isError(error, "not_found")) return null;
      return { name, outcome: ofOneJob(error) };
    }
  }
}

/** A description that says no generation is older than any that says one. */
function isOlder(generation: number | null, known: number | null): boolean {
  return known !== null && (generation === null || generation < known);
}

async function outcomeOf(putting: Promise<PutJob>): Promise<SetJobOutcome> {
  try {
    return await putting;
  } catch (error) {
    return ofOneJob(error);
  }
}

/** What concerns the whole call, as when the mastership is over, is thrown on: the call is made again. */
function ofOneJob(error: unknown): ElasticJobError {
  if (!(error instanceof ElasticJobError)) throw error;
  if (error.code === "stale_epoch" || error.code === "unavailable") throw error;
  return error;
}

async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let first = 0; first < items.length; first += AT_ONCE) {
    done.push(...(await Promise.all(items.slice(first, first + AT_ONCE).map(work))));
  }
  return done;
}
