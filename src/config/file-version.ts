import { statSync } from "node:fs";

/** Which content a file has, told without reading it; also of a file that was replaced, as mounted secrets are. */
export function fileVersion(path: string): string {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
  } catch (error) {
    return `none: ${errorWord(error)}`;
  }
}

/** A word such as ENOENT: the system's message would have the path once more. */
export function errorWord(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
