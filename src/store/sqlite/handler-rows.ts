/** The handlers that nodes have offered. */
import type { HandlerRecord } from "../job-store.ts";
import type { Database } from "./database.ts";

export function noteHandlers(database: Database, epoch: number, handlers: readonly HandlerRecord[]): void {
  const sql = `INSERT INTO jobhandler (name, last_offered, epoch) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET last_offered = MAX(last_offered, excluded.last_offered)`;
  database.write(epoch, () => {
    for (const { name, lastOffered } of handlers) database.run(sql, [name, lastOffered, epoch]);
  });
}

export function forgetHandlers(
  database: Database,
  epoch: number,
  names: readonly string[],
  by: number,
): void {
  const sql = "DELETE FROM jobhandler WHERE name = ? AND last_offered <= ?";
  database.write(epoch, () => {
    for (const name of names) database.run(sql, [name, by]);
  });
}
