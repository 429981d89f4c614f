import type { JobSetRecord } from "../job-store.ts";
import type { Database } from "./database.ts";

export function keepJobSet(database: Database, epoch: number, set: JobSetRecord): void {
  database.write(epoch, () =>
    database.run(
      `INSERT INTO jobset (name, generation, jobs, epoch) VALUES (?, ?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET generation = excluded.generation, jobs = excluded.jobs, epoch = excluded.epoch`,
      [set.name, set.generation, JSON.stringify(set.jobs), epoch],
    ),
  );
}
