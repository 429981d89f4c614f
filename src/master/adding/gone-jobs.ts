/** Jobs that were deleted while the call that has added them may still be made again: it is answered as the first time, and adds nothing. */
import type { JobRecord } from "../../core/job.ts";
import { goneKeyOf } from "../../core/spec/job-key.ts";
import { dueAt } from "../../core/state/misfire.ts";
import type { JobKey } from "../../store/job-store.ts";
import type { AddedJob } from "../job-api.ts";
import type { KeyReader } from "./key-reader.ts";

const TIME_BYTES = 8;

/** What is kept of a job that is about to be deleted: that it was there, and when it was due. */
export function goneKey(record: JobRecord, expiresAt: number): JobKey {
  const digest = Buffer.alloc(TIME_BYTES);
  digest.writeDoubleBE(dueAt(record));
  return { key: goneKeyOf(record.id), jobId: record.id, expiresAt, digest };
}

/** Of these ids, which name no job: those that did, and what the call that added them is answered. */
export async function readGone(keys: KeyReader, ids: readonly number[]): Promise<Map<number, AddedJob>> {
  const gone = new Map<number, AddedJob>();
  const taken = await Promise.all(ids.map((id) => keys.read(goneKeyOf(id))));
  for (const [index, known] of taken.entries()) {
    if (known === undefined || known.digest.byteLength !== TIME_BYTES) continue;
    const { buffer, byteOffset } = known.digest;
    const nextRunAt = new DataView(buffer, byteOffset).getFloat64(0);
    const jobId = ids[index] ?? 0;
    gone.set(jobId, { jobId, created: true, nextRunAt });
  }
  return gone;
}
