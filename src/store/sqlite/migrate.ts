/** Brings the schema up to date, all of it or nothing; the write lock keeps other processes out. */
import type { Clock } from "../../core/clock.ts";
import {
  foreignTables,
  isSameTable,
  loadMigrations,
  missingMigrations,
  type Relation,
  tablesGone,
  tablesOf,
} from "../migrations.ts";
import type { Database } from "./database.ts";

export function migrate(database: Database, clock: Clock): void {
  const all = loadMigrations("sqlite");
  database.write(null, () => {
    const applied = appliedVersion(database);
    const missing = missingMigrations(all, applied);
    const gone = [...tablesOf(all.slice(0, applied)).keys()].filter(
      (name) => relationOf(database, name).length === 0,
    );
    if (gone.length > 0) throw tablesGone(gone, `the file ${database.path}`);
    // None of them was made by us: here a migration is applied as a whole.
    const foreign = [...tablesOf(missing).keys()].flatMap((name) => relationOf(database, name));
    if (foreign.length > 0) throw foreignTables(foreign, `the file ${database.path}`);
    for (const migration of missing) {
      for (const statement of migration.statements) database.exec(statement);
      database.run("INSERT INTO jobschema (version, applied_at) VALUES (?, ?)", [
        migration.version,
        clock.now(),
      ]);
    }
  });
}

function appliedVersion(database: Database): number {
  const [schema] = relationOf(database, "jobschema");
  if (schema?.isView !== false) return 0;
  if (!isSameTable(columnsOf(database, "jobschema"), ["version", "applied_at"])) return 0;
  const [row] = database.read<{ version: number | null }>(
    "SELECT MAX(version) AS version FROM jobschema",
    [],
  );
  return row?.version ?? 0;
}

/** Empty: there is no such table, nor a view of that name. */
function relationOf(database: Database, name: string): Relation[] {
  return database
    .read<{ type: string }>(
      "SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')",
      [name],
    )
    .map(({ type }) => ({ name, isView: type === "view" }));
}

function columnsOf(database: Database, table: string): string[] {
  return database
    .read<{ name: string }>("SELECT name FROM pragma_table_info(?)", [table])
    .map(({ name }) => name);
}
