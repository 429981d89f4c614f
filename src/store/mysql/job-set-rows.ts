import type { JobSetRecord } from "../job-store.ts";
import type { Session } from "./connection-pool.ts";
import { failureOf } from "./errors.ts";
import { FENCE, FENCED_EPOCH, insertFenced } from "./fence.ts";

const CHANGE = `UPDATE jobset SET generation = ?, jobs = ? WHERE name = ? AND ${FENCE}`;
const ADD = `INSERT INTO jobset (name, generation, jobs, epoch) VALUES (?, ?, ?, ${FENCED_EPOCH})`;

export async function keepJobSet(session: Session, epoch: number, set: JobSetRecord): Promise<void> {
  const { name, generation } = set;
  const jobs = JSON.stringify(set.jobs);
  const { affectedRows } = await session.execute(CHANGE, [generation, jobs, name, epoch]);
  if (affectedRows > 0) return;
  try {
    await insertFenced(epoch, () => session.execute(ADD, [name, generation, jobs, epoch]));
  } catch (error) {
    // It is there already, and so.
    if (failureOf(error) !== "duplicate") throw error;
  }
}
