import { sleep } from "../../core/clock.ts";
import { STORED_STATUS } from "../../core/job.ts";
import type { MasterContext } from "../context.ts";
import type { BeyondMemoryView } from "../job-api.ts";
import type { ClassRegistry } from "../memory/class-registry.ts";
import type { Pages } from "../memory/pages.ts";

/** Someone who watches the cluster asks each second. */
const FRESH_MS = 5_000;
/** A database that is slow to answer, or away, does not hold up the rest. */
const WAIT_MS = 500;
const MAX_CLASSES = 100;
const MAX_ROWS_A_CLASS = 1_000;
const MAX_LATER = 10_000;

/** How many jobs there are that memory leaves out: counted in the database, in bounds, and only when somebody asks. */
export class BeyondMemory {
  private readonly context: MasterContext;
  private readonly parts: { readonly classes: ClassRegistry; readonly pages: Pages };
  private known: BeyondMemoryView = { stuck: null, later: null };
  private countedAt = Number.NEGATIVE_INFINITY;
  private counting: Promise<void> | null = null;

  constructor(context: MasterContext, parts: BeyondMemory["parts"]) {
    this.context = context;
    this.parts = parts;
  }

  async read(): Promise<BeyondMemoryView> {
    const { clock, logger } = this.context;
    if (clock.monotonic() - this.countedAt < FRESH_MS) return this.known;
    this.counting ??= this.count()
      .catch((error: unknown) => {
        this.known = { stuck: null, later: null };
        logger.debug({ error }, "could not count the jobs beyond memory");
      })
      .finally(() => {
        this.countedAt = clock.monotonic();
        this.counting = null;
      });
    const counted = new AbortController();
    void this.counting.then(() => counted.abort());
    await sleep(clock, WAIT_MS, counted.signal);
    return this.known;
  }

  private async count(): Promise<void> {
    const { store, time, settings } = this.context;
    const now = time.now();
    let stuck = 0;
    let looked = 0;
    for (const { id } of this.parts.classes.all()) {
      if (this.parts.pages.isPresent(id)) continue;
      if (looked++ === MAX_CLASSES) break;
      const query = { classId: id, after: null, through: now, limit: MAX_ROWS_A_CLASS, maxPayloadBytes: 0 };
      const { jobs } = await store.pageJobs(query);
      stuck += jobs.filter(({ record }) => record.status === STORED_STATUS.WAITING).length;
    }
    const filter = { status: STORED_STATUS.WAITING, dueAfter: now + settings.horizonMs };
    this.known = { stuck, later: await store.countJobs(filter, MAX_LATER) };
  }
}
