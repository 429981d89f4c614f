/**
 * Installs the dependencies when they are not there or are not those of package-lock.json: the project's,
 * or with the argument `bench` what the benchmark compares with. It runs before everything else, so on whatever
 * Node the system has (20 or newer): plain JavaScript, no dependencies. What it prints goes to stderr: stdout
 * belongs to the command that follows.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [folder = "."] = process.argv.slice(2);
const root = join(fileURLToPath(new URL("..", import.meta.url)), folder);
const where = folder === "." ? "npm ci" : `npm ci, in ${folder}/`;
// npm starts scripts with the Node it runs on; the project's own is a dependency.
const pinnedNode =
  folder === "."
    ? join(root, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node")
    : null;

if (!isInstalled()) {
  console.error(`Installing dependencies (${where}) …`);
  const npm = process.env.npm_execpath;
  const [program, args] = npm === undefined ? ["npm", ["ci"]] : [process.execPath, [npm, "ci"]];
  // The level is said, as `npm run -s` hands its silence down. Only the pinned Node needs its install script.
  const options = ["--no-audit", "--no-fund", "--loglevel=error"];
  if (pinnedNode === null) options.push("--ignore-scripts");
  const { status, error } = spawnSync(program, [...args, ...options], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (error !== undefined) fail(`npm could not be started: ${error.message}`);
  if (status !== 0) fail(`${where} failed; its messages are above.`);
  if (pinnedNode !== null && !existsSync(pinnedNode)) {
    fail(
      `npm ci left no ${pinnedNode}: install scripts seem to be off. Run "npm rebuild node --ignore-scripts=false".`,
    );
  }
}

/** Compares what package-lock.json asks for with what npm noted down at the end of its last install. */
function isInstalled() {
  if (pinnedNode !== null && !existsSync(pinnedNode)) return false;
  const wanted = readPackages("package-lock.json");
  const present = readPackages("node_modules/.package-lock.json");
  if (wanted === null || present === null) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = present[path];
    // An optional package may be for another platform.
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8")).packages ?? null;
  } catch {
    return null;
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
