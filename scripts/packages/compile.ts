/** Runs the compiler, as a program: which modules there are, and what becomes of them. */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

const TSC = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
const SETTINGS = join(import.meta.dirname, "../../tsconfig.json");

/** The entries and all modules of src/ that they import, types included, from the root of the project. */
export function listModules(root: string, entries: readonly string[]): string[] {
  const listed = runTsc(root, entries, {}, ["--listFilesOnly"]);
  const paths = listed.split("\n").map((path) => relative(root, path.trim()));
  return paths.filter((path) => path.startsWith("src/")).sort();
}

/** From `src/` in the folder to `dist/` beside it: modules, their types, and maps; those of types lead nowhere without the sources. */
export function compile(folder: string, entries: readonly string[], hasSources: boolean): void {
  const options = {
    noEmit: false,
    rootDir: "src",
    outDir: "dist",
    // The client runs in browsers, and on every Node that is kept up; the syntax of all others is newer.
    target: "es2022",
    rewriteRelativeImportExtensions: true,
    declaration: true,
    declarationMap: hasSources,
    sourceMap: true,
  };
  runTsc(folder, entries, options, []);
}

function runTsc(folder: string, files: readonly string[], options: object, args: readonly string[]): string {
  const path = join(folder, "tsconfig.build.json");
  const compilerOptions = { allowJs: true, ...options };
  writeFileSync(path, JSON.stringify({ extends: SETTINGS, compilerOptions, files, include: [] }));
  try {
    const { status, stdout, error } = spawnSync(process.execPath, [TSC, "-p", path, ...args], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`tsc ended with ${status}:\n${stdout}`);
    return stdout;
  } finally {
    rmSync(path);
  }
}
