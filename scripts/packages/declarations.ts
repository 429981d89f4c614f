/**
 * What the compiler writes down of types, made fit to be published: it leaves the ending .ts in the imports of
 * declarations, as it rewrites those of modules only, and it declares modules that nobody outside can import.
 */
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** `from "./a.ts"`, `import "./a.ts"`, `import("./a.ts")`. */
const RELATIVE_IMPORT = /\b(from |import |import\()"(\.{1,2}\/[^"]+)\.(m?)ts"/g;

/** Keeps those that a public one reaches. Paths are from the folder, as is the manifest's way. */
export function finishDeclarations(folder: string, isPublic: readonly string[]): void {
  const kept = new Set(isPublic.map((path) => join(folder, path)));
  // A set goes on to what is added while it is walked.
  for (const path of kept) {
    const text = readFileSync(path, "utf8");
    for (const [, , specifier = "", m = ""] of text.matchAll(RELATIVE_IMPORT)) {
      kept.add(join(dirname(path), `${specifier}.d.${m}ts`));
    }
    // As long as it was, so that maps of it stay true.
    writeFileSync(path, text.replaceAll(RELATIVE_IMPORT, '$1"$2.$3js"'));
  }
  for (const path of globSync("dist/**/*.d.{ts,mts}", { cwd: folder })) {
    const file = join(folder, path);
    if (kept.has(file)) continue;
    for (const each of [file, `${file}.map`]) rmSync(each, { force: true });
  }
}
