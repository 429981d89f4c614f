/**
 * Lets npm itself judge whether `npm ci` would install from each lock file, then looks at what npm takes without a word:
 * a package without its hash, for which it would believe whatever the registry sends, and one with an install script that
 * package.json does not name. Without the network: a lock that is in step says all that is needed.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDERS = [".", "bench", "test/package"];
const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}
interface LockedPackage {
  readonly integrity?: string;
  /** A folder of this repository. */
  readonly link?: true;
  readonly hasInstallScript?: true;
}
interface Manifest {
  /** Which packages may run their install scripts. */
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

for (const folder of FOLDERS) {
  for (const problem of [...outOfStep(folder), ...unsafePackages(folder)]) {
    console.error(problem);
    process.exitCode = 1;
  }
}

function outOfStep(folder: string): string[] {
  // The level is said, as `npm run -s` hands its silence down.
  const options = [
    "--dry-run",
    "--offline",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const { status, stdout, stderr, error } = spawnSync("npm", ["ci", ...options], {
    cwd: join(ROOT, folder),
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  if (status === 0) return [];
  return [
    `${join(folder, "package-lock.json")} is out of step with its package.json:`,
    `${stdout}${stderr}`.split("\nnpm error Clean install a project")[0]?.trim() ?? "",
    `Run "npm install --package-lock-only" in ${join(folder, ".")} and commit the result.`,
  ];
}

function unsafePackages(folder: string): string[] {
  const file = join(folder, "package-lock.json");
  const { packages } = readJson<Lock>(file);
  const { allowScripts = {} } = readJson<Manifest>(join(folder, "package.json"));
  return Object.entries(packages).flatMap(([path, entry]) => {
    // Others are the project itself, and folders of it.
    if (!path.includes("node_modules/") || entry.link === true) return [];
    const name = path.split("node_modules/").at(-1) ?? path;
    const problems: string[] = [];
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(entry.integrity ?? "")) {
      // npm fills it in for what it asks the registry about, and not for what it finds in node_modules.
      problems.push(
        `${file}: ${path} has no SHA-512. Take its entry out, run "npm install --package-lock-only" where there is no node_modules, and commit the result.`,
      );
    }
    if (entry.hasInstallScript === true && !(name in allowScripts)) {
      problems.push(
        `${file}: ${path} has an install script. Name ${name} in allowScripts of ${join(folder, "package.json")}, with false if it works without.`,
      );
    }
    return problems;
  });
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8")) as T;
}
