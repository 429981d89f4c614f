/**
 * Where a secret comes from: the setting itself, or a file that the setting with `_FILE` at its end names, so that the
 * secret was never in the environment, which every program that is started inherits. No message shows what a file has, nor
 * its path: who mistakes the one setting for the other has written the secret there.
 */
import { readFileSync } from "node:fs";
import type { Problem } from "../core/errors.ts";

export type ReadFile = (path: string) => string;

/** Blank: it is not set. */
export interface GivenText {
  /** Which setting a problem with it is about. */
  readonly field: string;
  readonly text: string;
}

export function secretText(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  readFile: ReadFile,
): GivenText | Problem {
  const text = env[name] ?? "";
  const field = fileSetting(name);
  const path = env[field]?.trim() ?? "";
  if (path === "") return { field: name, text };
  if (text.trim() !== "") return { field, message: `is set beside ${name}; set one of them` };
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    return { field, message: `the file that it names cannot be read (${reason(error)})` };
  }
  // Most editors, and `echo`, end a file with one.
  const secret = content.replace(/\r?\n$/, "");
  // Not as if it were not set: without tokens, say, more callers are answered.
  if (secret.trim() === "") return { field, message: "the file that it names is empty" };
  return { field, text: secret };
}

export function fileSetting(name: string): string {
  return `${name}_FILE`;
}

export function readTextFile(path: string): string {
  return readFileSync(path, "utf8");
}

/** A word such as ENOENT: the system's message has the path. */
function reason(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return String(code ?? name ?? "no reason is given");
}
