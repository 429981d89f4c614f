/** The files that a module is made of: itself, and what it imports by a path, as far as that can be told from its text. */
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** More are no module that somebody edits by hand. */
const MOST_FILES = 2_000;
/** Of what stands behind `from` and `import`, or in `import(…)` and `require(…)`; one in a comment does no harm. */
const IMPORTED = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*["'](\.{1,2}\/[^"'\n]+)["']/g;

export function moduleFiles(path: string): ReadonlySet<string> {
  const files = new Set([path]);
  for (const file of files) {
    for (const imported of importedBy(file)) if (files.size < MOST_FILES) files.add(imported);
  }
  return files;
}

/** What changes with a file; "": it is not there. */
export function fileStamp(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? "" : `${found.mtimeMs}/${found.size}/${found.ino}`;
}

function importedBy(file: string): string[] {
  return [...textOf(file).matchAll(IMPORTED)].map(([, specifier = ""]) => resolve(dirname(file), specifier));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It is not there, or is being written: it is looked at again when it changes.
    return "";
  }
}
