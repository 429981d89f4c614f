/** Brings the schema up to date, all of it or nothing; the write lock keeps other processes out. */
import type { Clock } from "../../core/clock.ts";
import { loadMigrations, missingMigrations } from "../migrations.ts";
import type { Database } from "./database.ts";

export function migrate(database: Database, clock: Clock): void {
  const all = loadMigrations("sqlite");
  database.write(null, () => {
    database.exec(
      "CREATE TABLE IF NOT EXISTS schemaversion (version INTEGER NOT NULL PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT",
    );
    const [row] = database.read<{ version: number | null }>(
      "SELECT MAX(version) AS version FROM schemaversion",
      [],
    );
    for (const migration of missingMigrations(all, row?.version ?? 0)) {
      for (const statement of migration.statements) database.exec(statement);
      database.run("INSERT INTO schemaversion (version, applied_at) VALUES (?, ?)", [
        migration.version,
        clock.now(),
      ]);
    }
  });
}
