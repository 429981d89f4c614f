import { type Clock, sleep } from "../core/clock.ts";
import { Retried } from "../core/log/retried.ts";
import type { JobStore } from "../store/job-store.ts";
import type { MasterContext } from "./context.ts";

const SAMPLES = 3;
const SAMPLE_EVERY_MS = 30_000;
/** An error this big is worth a line in the log: somebody's clock is wrong. */
const BIG_ERROR_MS = 60_000;

interface Sample {
  readonly reading: number;
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** The database's clock, by the quickest of a few readings: the round trip bounds the error. */
export async function sampleDatabaseClock(store: JobStore, clock: Clock): Promise<Sample> {
  let best: Sample | null = null;
  for (let count = 0; count < SAMPLES; count++) {
    const sentAt = clock.monotonic();
    const reading = await store.readClock();
    const receivedAt = clock.monotonic();
    if (best === null || receivedAt - sentAt < best.receivedAt - best.sentAt)
      best = { reading, sentAt, receivedAt };
  }
  if (best === null) throw new Error("no sample");
  return best;
}

/** Follows the database's clock until the mastership ends. */
export async function keepClusterTime(context: MasterContext): Promise<void> {
  const { ended, clock, store, time, logger } = context;
  const retried = new Retried(context, "could not read the database's clock");
  for (;;) {
    await sleep(clock, SAMPLE_EVERY_MS, ended);
    if (ended.aborted) return;
    try {
      const { reading, sentAt, receivedAt } = await sampleDatabaseClock(store, clock);
      retried.succeeded();
      time.adjust(reading, sentAt, receivedAt);
      if (Math.abs(time.error) > BIG_ERROR_MS) logger.error({ errorMs: time.error }, "cluster time was off");
    } catch (error) {
      retried.failed(error);
    }
  }
}
