import { ElasticJobError } from "../../core/errors.ts";
import { Gather } from "../../core/flow/gather.ts";
import type { TakenKey } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";

/** Keys that one statement asks for. */
const MAX_BATCH_KEYS = 500;
/** Keys that wait to be read: beyond it adds are refused, so that memory stays bounded. */
const MAX_QUEUED_KEYS = 50_000;

interface Question {
  readonly key: string;
  readonly resolve: (taken: TakenKey | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Whose a key is. Many questions, few statements: what is asked while one is under way goes into the next. */
export class KeyReader {
  private readonly context: MasterContext;
  private readonly questions = new Gather<Question>({
    mostBatches: 1,
    take: ({ length }) => Math.min(length, MAX_BATCH_KEYS),
    run: (batch) => this.ask(batch),
    soon: queueMicrotask,
  });

  constructor(context: MasterContext) {
    this.context = context;
  }

  /** The job that the key names, or of a call's key the first id of its block; undefined: the key is free. */
  read(key: string): Promise<TakenKey | undefined> {
    const { waiting } = this.questions;
    if (waiting >= MAX_QUEUED_KEYS) {
      const message = `${waiting} keys are waiting to be read; try again`;
      return Promise.reject(new ElasticJobError("resource_exhausted", message));
    }
    return new Promise((resolve, reject) => this.questions.add({ key, resolve, reject }));
  }

  private async ask(batch: readonly Question[]): Promise<void> {
    const { store, epoch, time } = this.context;
    try {
      const taken = await store.readKeys(
        epoch,
        batch.map(({ key }) => key),
        time.now(),
      );
      for (const { key, resolve } of batch) resolve(taken.get(key));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
