/** Makes one package: its sources, what the compiler makes of them, its manifest, and what goes along. */
import { cpSync, globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compile, listModules } from "./compile.ts";
import { finishDeclarations } from "./declarations.ts";
import { entriesOf, readManifest, typesOf, writtenManifest } from "./manifest.ts";
import type { PackageParts } from "./package-list.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Returns how many modules it has. */
export function buildPackage({ folder, started, read, copied, hasSources }: PackageParts): number {
  const from = join(ROOT, "packages", folder);
  const to = join(ROOT, "dist", folder);
  rmSync(to, { recursive: true, force: true });
  const copy = (path: string, target: string) => {
    mkdirSync(dirname(join(to, target)), { recursive: true });
    cpSync(join(ROOT, path), join(to, target));
  };

  const manifest = readManifest(from);
  const entries = [...entriesOf(manifest), ...started];
  // The compiler is run on copies beside what it makes of them, so that the paths in the maps are right wherever the
  // package is installed.
  const modules = listModules(ROOT, entries);
  for (const path of modules) copy(path, path);
  compile(to, entries, hasSources);
  finishDeclarations(to, typesOf(manifest));
  if (!hasSources) rmSync(join(to, "src"), { recursive: true });

  for (const path of globSync([...read], { cwd: ROOT })) copy(path, path.replace(/^src\//, "dist/"));
  for (const path of globSync([...copied], { cwd: ROOT })) copy(path, path);
  cpSync(join(from, "README.md"), join(to, "README.md"));
  const text = JSON.stringify(writtenManifest(manifest, ROOT, modules), null, 2);
  writeFileSync(join(to, "package.json"), `${text}\n`);
  return modules.length;
}
