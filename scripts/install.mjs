/**
 * Installs the dependencies when they are not there or are not those of package-lock.json: the project's,
 * or with the argument `bench` what the benchmark compares with. It runs before everything else, so on whatever
 * Node the system has (20 or newer): plain JavaScript, no dependencies. What it prints goes to stderr: stdout
 * belongs to the command that follows.
 *
 * Nothing comes that package-lock.json does not name with its hash, the Node on which everything runs included, and
 * no package's install script is run.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [folder = "."] = process.argv.slice(2);
const root = join(fileURLToPath(new URL("..", import.meta.url)), folder);
const where = folder === "." ? "npm ci" : `npm ci, in ${folder}/`;
// npm starts scripts with the Node it runs on; the project's own is the package of this platform in runtime/.
const runtime = read("runtime/package.json")?.optionalDependencies;
const pinnedNode = runtime === undefined ? null : findPinnedNode(Object.keys(runtime));

if (!isInstalled()) {
  console.error(`Installing dependencies (${where}) …`);
  const npm = process.env.npm_execpath;
  const [program, args] = npm === undefined ? ["npm", ["ci"]] : [process.execPath, [npm, "ci"]];
  // The level is said, as `npm run -s` hands its silence down.
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = spawnSync(program, [...args, ...options], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (error !== undefined) fail(`npm could not be started: ${error.message}`);
  if (status !== 0) fail(`${where} failed; its messages are above.`);
  // npm goes on without an optional package that it could not fetch, or that is not what the lock file says.
  if (pinnedNode !== null && !existsSync(pinnedNode)) {
    fail(
      `npm ci left no ${pinnedNode}: it could not be fetched, was not what package-lock.json says, or optional packages are switched off. "npm ci --ignore-scripts --include=optional --loglevel=verbose" tells which.`,
    );
  }
}

/** null where this platform has no such package: everything then runs on the Node of the system, if it is new enough. */
function findPinnedNode(names) {
  const locked = read("package-lock.json")?.packages ?? {};
  for (const name of names) {
    const entry = locked[`node_modules/${name}`];
    if (entry === undefined)
      fail(`package-lock.json does not name ${name}, which runtime/package.json does.`);
    if (![entry.os].flat().includes(process.platform) || ![entry.cpu].flat().includes(process.arch)) continue;
    return join(root, "node_modules", name, entry.bin.node);
  }
  const [wanted = ""] = Object.values(runtime);
  if (Number.parseInt(process.versions.node) < Number.parseInt(wanted)) {
    fail(
      `No package of Node ${wanted} is known for ${process.platform} on ${process.arch}: install it, and start this with it.`,
    );
  }
  return null;
}

/** Compares what package-lock.json asks for with what npm noted down at the end of its last install. */
function isInstalled() {
  if (pinnedNode !== null && !existsSync(pinnedNode)) return false;
  const wanted = read("package-lock.json")?.packages;
  const present = read("node_modules/.package-lock.json")?.packages;
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = present[path];
    // An optional package may be for another platform.
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** undefined: it is not there, or cannot be read. */
function read(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8"));
  } catch {
    return undefined;
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
