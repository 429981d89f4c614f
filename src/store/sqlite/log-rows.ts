/** What attempts said. */
import type { LogChunk } from "../../core/log/log-line.ts";
import { marks } from "../in-list.ts";
import type { ClaimRef } from "../job-store.ts";
import { LOG_COLUMNS, logValues } from "../log-row.ts";
import type { Database } from "./database.ts";

const INSERT = `INSERT INTO joblog (${LOG_COLUMNS.join(", ")}) VALUES (${marks(LOG_COLUMNS.length)}) ON CONFLICT DO NOTHING`;

/** Not fenced: it is no state, and what was said was said, whoever is master. */
export function writeLog(database: Database, logged: readonly LogChunk[]): void {
  database.write(null, () => {
    for (const chunk of logged) database.run(INSERT, logValues(chunk));
  });
}

/** All that was said under these claims. Only inside a write: it goes with their results. */
export function deleteLog(database: Database, claims: readonly ClaimRef[]): void {
  for (const { jobId, claim } of claims) {
    database.run("DELETE FROM joblog WHERE job_id = ? AND claim = ?", [jobId, claim]);
  }
}
