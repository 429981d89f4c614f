import { ElasticJobError } from "../../core/errors.ts";
import type { MasterContext } from "../context.ts";

/** Of one statement. */
const MAX_BATCH_KEYS = 500;
/** Keys that wait to be read: beyond it adds are refused, so that memory stays bounded. */
const MAX_QUEUED_KEYS = 50_000;

interface Question {
  readonly key: string;
  readonly resolve: (jobId: number | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Whose a key is. Many questions, few statements: what is asked while one is under way goes into the next. */
export class KeyReader {
  private readonly context: MasterContext;
  private queue: Question[] = [];
  private isReading = false;

  constructor(context: MasterContext) {
    this.context = context;
  }

  /** The job that the key names, or of a call's key the first id of its block; undefined: the key is free. */
  read(key: string): Promise<number | undefined> {
    if (this.queue.length >= MAX_QUEUED_KEYS) {
      const message = `${this.queue.length} keys are waiting to be read; try again`;
      return Promise.reject(new ElasticJobError("resource_exhausted", message));
    }
    return new Promise((resolve, reject) => {
      this.queue.push({ key, resolve, reject });
      // After the others that are asked for in the same turn of the event loop.
      queueMicrotask(() => void this.readAll());
    });
  }

  private async readAll(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    while (this.queue.length > 0) {
      const batch = this.queue.slice(0, MAX_BATCH_KEYS);
      this.queue = this.queue.slice(MAX_BATCH_KEYS);
      const { store, epoch, time } = this.context;
      try {
        const keys = batch.map(({ key }) => key);
        const taken = await store.readKeys(epoch, keys, time.now());
        for (const { key, resolve } of batch) resolve(taken.get(key));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.isReading = false;
  }
}
