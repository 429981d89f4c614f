/**
 * The manifest of a package as it is published: that of packages/, with what is said elsewhere already. What it depends
 * on is what its modules import, in the version that package-lock.json tests and later ones that promise to be like it;
 * so no list of them can rot.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import rootManifest from "../../package.json" with { type: "json" };
import { moduleImports, packageOf } from "../module-imports.ts";

export interface PackageManifest {
  readonly name: string;
  /** Path in the package, or conditions with one each. */
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin?: Readonly<Record<string, string>>;
  /** Packages that are installed only where they are used. */
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional: true }>>;
}

export function readManifest(folder: string): PackageManifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageManifest;
}

/** The modules of src/ of which the manifest names what the compiler makes. */
export function entriesOf({ exports, bin = {} }: PackageManifest): string[] {
  const named = [
    ...Object.values(exports).map((value) => (typeof value === "string" ? value : value.default)),
    ...Object.values(bin),
  ];
  return named.flatMap((path) => {
    const [, module, ending = ""] = /^(?:\.\/)?dist\/(.*)(\.m?js)$/.exec(path) ?? [];
    // Plain JavaScript, which an old Node must be able to read too, is the one that is written so.
    return module === undefined ? [] : [`src/${module}${ending === ".mjs" ? ending : ".ts"}`];
  });
}

/** The declarations that others see, from the folder of the package. */
export function typesOf({ exports }: PackageManifest): string[] {
  return Object.values(exports).flatMap((value) => (typeof value === "string" ? [] : [value.types]));
}

export function writtenManifest(manifest: PackageManifest, root: string, modules: readonly string[]): object {
  const { name, exports, bin, peerDependenciesMeta = {}, ...rest } = manifest;
  const { version, license, type } = rootManifest;
  const imported = importedPackages(root, modules);
  const isPeer = (each: string) => each in peerDependenciesMeta;
  const peers = imported.filter(isPeer);
  return {
    name,
    version,
    ...rest,
    license,
    type,
    exports,
    ...(bin !== undefined && { bin }),
    files: ["dist", "src", "proto", "docs", "CHANGELOG.md"],
    dependencies: ranges(imported.filter((each) => !isPeer(each))),
    ...(peers.length > 0 && { peerDependencies: ranges(peers), peerDependenciesMeta }),
  };
}

/** Of those that package.json depends on: `npm run check:imports` refuses all others. */
function importedPackages(root: string, modules: readonly string[]): string[] {
  const imported = new Set(
    modules.flatMap((path) =>
      moduleImports(path, readFileSync(join(root, path), "utf8")).map(({ specifier }) =>
        packageOf(specifier),
      ),
    ),
  );
  return Object.keys(rootManifest.dependencies).filter((name) => imported.has(name));
}

function ranges(names: readonly string[]): Record<string, string> {
  const versions: Readonly<Record<string, string>> = rootManifest.dependencies;
  return Object.fromEntries(names.map((name) => [name, `^${versions[name]}`]));
}
