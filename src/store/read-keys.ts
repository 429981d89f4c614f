/** Which keys are taken, and which of those asked for only look so. */
import { NEVER } from "../core/job.ts";
import { isJobKey } from "../core/spec/job-key.ts";
import type { Read } from "./dialect.ts";
import { chunks, marks, padded } from "./in-list.ts";
import type { JobKey, TakenKey } from "./job-store.ts";

interface KeyRow {
  readonly k: Uint8Array;
  readonly job_id: number;
  readonly expires_at: number;
  readonly job: number | null;
  readonly digest: Uint8Array;
}

export interface KeyState {
  readonly taken: Map<string, TakenKey>;
  /** Rows that hold a key no more, to be deleted. */
  readonly free: { readonly key: string; readonly jobId: number }[];
}

/**
 * A job's own key lives no longer than the job, and until its expiry if it has one. The key of a call
 * as a whole lives until its expiry: its first id may be of an item that was refused.
 */
export async function readKeyState(read: Read, keys: readonly string[], now: number): Promise<KeyState> {
  const taken = new Map<string, TakenKey>();
  const free: { key: string; jobId: number }[] = [];
  for (const part of chunks(keys)) {
    const values = padded(part.map(keyBytes));
    const rows = await read<KeyRow>(
      `SELECT jobkey.k AS k, jobkey.job_id AS job_id, jobkey.expires_at AS expires_at, jobkey.digest AS digest,
        jobinfo.id AS job
      FROM jobkey LEFT JOIN jobinfo ON jobinfo.id = jobkey.job_id WHERE jobkey.k IN (${marks(values.length)})`,
      values,
    );
    for (const row of rows) {
      const key = Buffer.from(row.k).toString();
      const isTaken = row.expires_at > now && (row.job !== null || !needsJob(key, row.expires_at));
      if (isTaken) taken.set(key, { jobId: row.job_id, digest: row.digest });
      else free.push({ key, jobId: row.job_id });
    }
  }
  return { taken, free };
}

/** Whether the key is free once its job is gone; that of a call as a whole lives until its expiry. */
export function needsJob(key: string, expiresAt: number): boolean {
  return expiresAt === NEVER || isJobKey(key);
}

export function keyBytes(key: string): Buffer {
  return Buffer.from(key);
}

/** As the column has it. */
export function digestBytes({ digest }: JobKey): Buffer {
  return Buffer.from(digest ?? []);
}
