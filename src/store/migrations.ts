/**
 * The numbered schema changes, in lock-step for both databases. A version may run beside the next
 * one's schema (every migration leaves it working), but not beside a schema two or more ahead.
 */
import { readdirSync, readFileSync } from "node:fs";
import { ElasticJobError } from "../core/errors.ts";

export interface Migration {
  readonly version: number;
  readonly statements: readonly string[];
}

/** The migrations in the order of their numbers, from 1, without gaps. */
export function loadMigrations(database: "mysql" | "sqlite"): Migration[] {
  const folder = new URL(`./migrations/${database}/`, import.meta.url);
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort();
  return files.map((file, index) => {
    const version = Number(file.slice(0, 3));
    if (version !== index + 1) throw new ElasticJobError("internal", `migration ${file} is out of sequence`);
    return { version, statements: statementsOf(readFileSync(new URL(file, folder), "utf8")) };
  });
}

/** The migrations that a schema at version `applied` lacks. Refuses a schema that is too new. */
export function missingMigrations(all: readonly Migration[], applied: number): readonly Migration[] {
  if (applied >= all.length + 2) {
    throw new ElasticJobError(
      "failed_precondition",
      `the database's schema is at version ${applied}; this program knows ${all.length} and works with at most ${all.length + 1}: upgrade it`,
    );
  }
  return all.slice(applied);
}

function statementsOf(sql: string): string[] {
  return sql
    .replace(/^--.*$/gm, "")
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

/** A table that is there, or is to be, and its columns. */
export type Tables = ReadonlyMap<string, readonly string[]>;

/** What these migrations create. */
export function tablesOf(migrations: readonly Migration[]): Tables {
  const tables = new Map<string, readonly string[]>();
  for (const statement of migrations.flatMap(({ statements }) => statements)) {
    const [, name, body = ""] = /^CREATE TABLE (?:IF NOT EXISTS )?(\w+) \((.*)\)/s.exec(statement) ?? [];
    if (name === undefined) continue;
    // Types are in capitals, and so are the words with which a line begins that is no column's.
    tables.set(
      name,
      [...body.matchAll(/^ {2}([a-z_]+) [A-Z]/gm)].map(([, column = ""]) => column),
    );
  }
  return tables;
}

/** Dropped by hand, or left out of a restore: made anew, they would hide that rows are lost. */
export function tablesGone(names: readonly string[], place: string): ElasticJobError {
  const tables = names.length === 1 ? `the table ${names[0]} is` : `the tables ${names.join(", ")} are`;
  return new ElasticJobError(
    "failed_precondition",
    `${tables} missing in ${place}, or this account may not see it: restore what is missing from a backup, or grant the rights that docs/operating.md names`,
  );
}

/** Whether the table has these columns and no others. */
export function isSameTable(columns: readonly string[] | undefined, wanted: readonly string[] = []): boolean {
  return columns?.toSorted().join() === wanted.toSorted().join();
}

/** What stands in the database under a name of ours. */
export interface Relation {
  readonly name: string;
  /** A view can have our columns, and is none of ours all the same. */
  readonly isView: boolean;
}

/** Somebody else's tables or views are in the way. `place`: where they are. */
export function foreignTables(found: readonly Relation[], place: string): ElasticJobError {
  const kinds = [
    ["table", found.filter(({ isView }) => !isView)],
    ["view", found.filter(({ isView }) => isView)],
  ] as const;
  const said = kinds
    .filter(([, all]) => all.length > 0)
    .map(
      ([kind, all]) => `the ${kind}${all.length === 1 ? "" : "s"} ${all.map(({ name }) => name).join(", ")}`,
    );
  const [are, rename] = found.length === 1 ? ["is", "rename it"] : ["are", "rename them"];
  return new ElasticJobError(
    "failed_precondition",
    `${said.join(" and ")} in ${place} ${are} not elastic-job's: give elastic-job a database of its own, or ${rename}; nothing was created`,
  );
}
