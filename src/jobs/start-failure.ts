/** Why a program did not start: what is wrong in the payload fails for good, and names its field. */
import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { PermanentError } from "./define-jobs.ts";

/** What the same payload meets again at the next attempt; others (EAGAIN, ENOMEM, EMFILE) may pass. */
const OF_THE_COMMAND = ["ENOENT", "EACCES", "EPERM", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EINVAL"];

export interface Program {
  readonly file: string;
  /** null: the payload has none, so a folder that is missing is the node's trouble. */
  readonly cwd: string | null;
  readonly path: string;
}

/** `error`: what spawn said, which does not tell a folder from a program. */
export function startFailure(error: unknown, { file, cwd, path }: Program): Error {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "E2BIG") {
    return new PermanentError("payload.args: together with payload.env too large for the system (E2BIG)");
  }
  const ofCwd = cwd === null ? null : folderProblem(cwd);
  if (ofCwd !== null) return new PermanentError(`payload.cwd: ${cwd} ${ofCwd}`);
  if (!OF_THE_COMMAND.includes(code)) return error instanceof Error ? error : new Error(String(error));
  return new PermanentError(`payload.command: ${file} ${commandProblem(file, cwd ?? "", path, code)}`);
}

function folderProblem(folder: string): string | null {
  try {
    if (!statSync(folder).isDirectory()) return "is not a folder";
    accessSync(folder, constants.X_OK);
    return null;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ENOENT" || code === "ENOTDIR") return "is not there";
    return `can't be entered by the user that programs run as (${code})`;
  }
}

function commandProblem(file: string, cwd: string, path: string, code: string): string {
  if (!file.includes("/"))
    return code === "ENOENT" ? `is in no folder of PATH (${path})` : `can't be run (${code})`;
  try {
    if (statSync(file.startsWith("/") ? file : join(cwd, file)).isDirectory()) {
      return "is a folder; name a program in it";
    }
  } catch {
    return `is not there, or can't be reached by the user that programs run as (${code})`;
  }
  if (code === "EACCES") return "may not be executed by the user that programs run as (EACCES)";
  return code === "ENOENT"
    ? "names an interpreter in its #! line that is not there (ENOENT)"
    : `can't be run (${code})`;
}
