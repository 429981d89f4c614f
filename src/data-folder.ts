/** The folder in which a process without servers keeps everything. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ElasticJobError } from "./core/errors.ts";

/** The database in it holds payloads, and the cluster's secret. */
const PRIVATE = 0o700;

/** Throws `failed_precondition` where it cannot be made. */
export function makeDataFolder(dataDir: string): void {
  try {
    make(dataDir, PRIVATE);
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

export function unusable(dataDir: string, error: unknown): ElasticJobError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ElasticJobError("failed_precondition", `DATA_DIR ${dataDir} cannot be used: ${reason}`, {
    cause: error,
  });
}

/** Not by `recursive`, which turns for ever where a folder that is there says ENOENT, as /proc does. */
function make(path: string, mode?: number): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) make(parent);
  try {
    mkdirSync(path, mode === undefined ? {} : { mode });
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
