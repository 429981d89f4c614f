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
