/**
 * SECRETS_DIR: a folder with a file for each secret, named for it, as Docker and Kubernetes mount them. A file is read when it is
 * needed, so that a secret is changed by changing its file.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ElasticJobError } from "../core/errors.ts";

export const ACCEPTED_SECRET_NAMES = "1 to 64 letters, digits and . _ - that begin with a letter or digit";
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MAX_BYTES = 64 * 1024;
/** More files than this are no folder of secrets: each output is searched for all of them. */
const MAX_FILES = 100;

export function isSecretName(text: string): boolean {
  return NAME.test(text);
}

/** Throws `invalid_argument`: a folder that is mistyped would fail the jobs one by one. */
export function checkSecretsFolder(folder: string): void {
  let names: string[];
  try {
    names = secretNames(folder);
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new ElasticJobError(
      "invalid_argument",
      `SECRETS_DIR: ${folder} is no folder that can be read (${why})`,
    );
  }
  if (names.length > MAX_FILES) {
    throw new ElasticJobError(
      "invalid_argument",
      `SECRETS_DIR: ${folder} has ${names.length} files; at most ${MAX_FILES} are accepted, each of them a secret`,
    );
  }
}

function secretNames(folder: string): string[] {
  return readdirSync(folder).filter(isSecretName);
}

/** The value, without the line end that editors and `echo` leave. Its errors say what is wrong, and show nothing of the file. */
export function readSecretFile(folder: string, name: string): string {
  const path = join(folder, name);
  let bytes: Buffer;
  try {
    const about = statSync(path);
    if (!about.isFile()) throw new Error("is no file");
    if (about.size > MAX_BYTES) throw new Error(`is larger than ${MAX_BYTES} bytes`);
    bytes = readFileSync(path);
  } catch (error) {
    throw new Error(`the secret ${name} ${reasonOf(error, folder)}`, { cause: error });
  }
  const value = bytes.toString("utf8").replace(/\r?\n$/, "");
  if (value === "") throw new Error(`the secret ${name} is empty, as its file in SECRETS_DIR is`);
  if (value.includes("\uFFFD")) throw new Error(`the secret ${name} is not UTF-8`);
  return value;
}

/** All that can be read, by name. What cannot be, whoever asks for it is told. */
export function readAllSecrets(folder: string): [name: string, value: string][] {
  const names = secretNames(folder).slice(0, MAX_FILES);
  return names.flatMap((name) => {
    try {
      return [[name, readSecretFile(folder, name)] as [string, string]];
    } catch {
      return [];
    }
  });
}

function reasonOf(error: unknown, folder: string): string {
  if (!(error instanceof Error)) return String(error);
  if (!("code" in error)) return error.message;
  if (error.code !== "ENOENT") return `cannot be read on this node (${String(error.code)})`;
  if (!existsSync(folder)) return `is not on this node: SECRETS_DIR, ${folder}, is not there`;
  return "is not on this node: it has no such file in SECRETS_DIR";
}
