/**
 * Imports point one way: these tables are the architecture, and whatever they do not allow is an error. A room is a
 * folder of src/, or a file that stands directly in it; a large room has wings, which are its folders, and the files
 * that stand directly in it. That files import each other in no circle, not even for types, is the linter's to hold.
 * An import is a path to a file, a package that package.json depends on, or a module of Node's: what could hide another
 * one (our own package's name, a URL, a specifier that is put together, `createRequire`) is refused.
 */
import { isBuiltin } from "node:module";
import manifest from "../package.json" with { type: "json" };
import { type Import, moduleImports, packageOf } from "./module-imports.ts";

/** What each room may import, besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  gen: [],
  // What handlers take and give: for pages too, so it imports next to nothing.
  contract: ["core"],
  // Certificates, and connections that show and check them; what is said in those is nothing to it.
  tls: ["core", "unread-body.ts"],
  store: ["core", "tls"],
  coordination: ["core", "gen", "tls", "data-folder.ts"],
  master: ["store", "coordination", "core", "gen"],
  // The built-in handlers are loaded by executors, and are written against what a node offers to handlers.
  node: ["jobs", "contract", "store", "coordination", "core", "gen"],
  jobs: ["node", "contract", "core"],
  // It serves what the master room offers to callers; the node's room is none of its business.
  rpc: [
    "master",
    "store",
    "coordination",
    "core",
    "gen",
    "tls",
    "broken-request.ts",
    "http2-sessions.ts",
    "unread-body.ts",
  ],
  client: ["contract", "core", "gen", "tls"],
  console: ["client", "core", "gen"],
  // What a module has besides handlers: it is read as clients' JSON is, and checked as the master does.
  schedules: ["client", "rpc", "core", "gen"],
  edge: [
    "client",
    "console",
    "core",
    "gen",
    "tls",
    "config",
    "config.ts",
    "broken-request.ts",
    "http2-sessions.ts",
    "system-clock.ts",
    "unread-body.ts",
  ],
  // It reads the URLs of MySQL and Redis with what will use them; those parts open nothing.
  "config.ts": ["config", "core", "tls"],
  "data-folder.ts": ["core"],
  "memory-limit.ts": [],
  "broken-request.ts": ["core", "unread-body.ts"],
  "http2-sessions.ts": ["core"],
  "unread-body.ts": [],
  config: ["coordination", "store", "core", "tls"],
  "system-clock.ts": ["core"],
  "zone-files.ts": ["core"],
  "connect-node.ts": ["master", "node", "store", "coordination", "core"],
  // The parts of a node, on virtual time, network, lock and database. Nothing of what ships imports it.
  testing: [
    "connect-node.ts",
    "schedules",
    "rpc",
    "client",
    "master",
    "node",
    "jobs",
    "store",
    "coordination",
    "core",
    "gen",
  ],
  "app.ts": [
    "connect-node.ts",
    "rpc",
    "schedules",
    "master",
    "node",
    "jobs",
    "store",
    "coordination",
    "core",
    "gen",
    "client",
    "edge",
    "tls",
    "config",
    "config.ts",
    "memory-limit.ts",
    "system-clock.ts",
    "zone-files.ts",
  ],
  // The commands that start a process import the composition root; `migrate` opens a store.
  cli: [
    "client",
    "edge",
    "tls",
    "store",
    "core",
    "gen",
    "config",
    "config.ts",
    "app.ts",
    "data-folder.ts",
    "system-clock.ts",
  ],
  "index.ts": ["node", "jobs", "contract", "client", "core", "gen"],
  "embed.ts": ["app.ts", "config.ts", "core"],
};

/** Files beside the wings that each of its room may import. */
const MASTER_TOP = ["context.ts", "job-api.ts"];
const CORE_TOP = [
  "answer-margin.ts",
  "call-headers.ts",
  "clock.ts",
  "cluster-time.ts",
  "content-type.ts",
  "duration-text.ts",
  "errors.ts",
  "handler-name.ts",
  "job.ts",
  "lease.ts",
  "logger.ts",
  "message-shape.ts",
  "nearest-name.ts",
  "random.ts",
  "short-text.ts",
];
const RPC_TOP = [
  "call-caller.ts",
  "connection.ts",
  "credentials.ts",
  "error-codes.ts",
  "error-details.ts",
  "in-time.ts",
  "large-request.ts",
  "limits.ts",
  "message-size.ts",
  "outgoing-queue.ts",
  "turns.ts",
  "with-reason.ts",
];
/**
 * What each wing, or file beside the wings, may import of its own room besides itself. Rooms that are not named here
 * have no wings: a folder in them is part of them.
 */
const WINGS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  // Read down, each imports only what stands below it.
  master: {
    election: ["mastership.ts", "cluster-clock.ts", ...MASTER_TOP],
    "mastership.ts": [
      "dispatch",
      "control",
      "adding",
      "nodes",
      "ending",
      "memory",
      "audit",
      "cluster-clock.ts",
      ...MASTER_TOP,
    ],
    dispatch: ["adding", "nodes", "ending", "memory", ...MASTER_TOP],
    control: ["adding", "nodes", "ending", "memory", ...MASTER_TOP],
    adding: ["nodes", "ending", "memory", ...MASTER_TOP],
    nodes: ["ending", "memory", ...MASTER_TOP],
    ending: ["memory", ...MASTER_TOP],
    memory: MASTER_TOP,
    audit: MASTER_TOP,
    "cluster-clock.ts": MASTER_TOP,
    "context.ts": [],
    "job-api.ts": [],
  },
  core: {
    request: ["spec", "calendar", "json", ...CORE_TOP],
    spec: ["calendar", ...CORE_TOP],
    state: ["calendar", "audit", ...CORE_TOP],
    queues: CORE_TOP,
    calendar: CORE_TOP,
    audit: ["callers", ...CORE_TOP],
    callers: CORE_TOP,
    readiness: CORE_TOP,
    flow: CORE_TOP,
    json: CORE_TOP,
    log: CORE_TOP,
    ...Object.fromEntries(CORE_TOP.map((file) => [file, CORE_TOP])),
  },
  rpc: {
    server: ["services", "forwarding", "conversion", "proof", ...RPC_TOP],
    services: ["forwarding", "conversion", "proof", ...RPC_TOP],
    forwarding: ["conversion", "proof", ...RPC_TOP],
    conversion: RPC_TOP,
    proof: ["error-codes.ts"],
    ...Object.fromEntries(RPC_TOP.map((file) => [file, ["proof", ...RPC_TOP]])),
  },
};

/** Packages and modules of Node's that a room may use; rooms not named here may use any. */
const ALLOWED_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  core: ["croner"],
  contract: [],
};

/** The file that loads the user's modules, whose names nobody knows before. */
const LOADS_UNKNOWN = "src/node/load-handlers.ts";
/** The file that has Node keep what it compiles. */
const COMPILES = "src/cli/start.mjs";

/** Of all that can be a module: a file of another kind would go by unseen. */
export const SOURCE_FILES = "src/**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}";

/** What is wrong with the imports of a file of src, a line each. `path`: from the root, with slashes. */
export function importProblems(path: string, source: string): string[] {
  const room = roomOf(path);
  const allowed = own(ALLOWED, room);
  if (allowed === undefined) return [`${path}:1 ${room} is a room that the rules do not know`];
  const wing = wingOf(path);
  const wings = own(WINGS, room);
  if (wings !== undefined && own(wings, wing) === undefined) {
    return [`${path}:1 ${wing} is a part of ${room} that the rules do not know`];
  }
  return moduleImports(path, source).flatMap((entry) => {
    const rule = violation(path, allowed, entry);
    return rule === null ? [] : [`${path}:${entry.line} imports ${entry.specifier}: ${rule}`];
  });
}

/** Of the table itself: a folder may be named `constructor`. */
function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The rule that an import breaks; null: none. */
function violation(path: string, allowed: readonly string[], { specifier, target }: Import): string | null {
  const room = roomOf(path);
  if (target === null) {
    if (specifier === "node:module" && path !== COMPILES) return "what createRequire loads, nobody sees";
    if (!isBuiltin(specifier) && !DEPENDENCIES.has(packageOf(specifier))) {
      if (path === LOADS_UNKNOWN) return null;
      return "a path to a file, a package of package.json's dependencies, or a module of Node's is accepted, as one string";
    }
    const packages = own(ALLOWED_PACKAGES, room);
    if (packages === undefined || packages.includes(specifier)) return null;
    return packages.length === 0
      ? `${room} may use no packages, nor modules of Node's`
      : `${room} may use only the packages ${packages.join(", ")}`;
  }
  if (!target.startsWith("src/")) {
    return "src imports nothing from outside src";
  }
  if (roomOf(target) !== room) {
    return allowed.includes(roomOf(target)) ? null : `${room} may import ${list(allowed)}`;
  }
  const [wing, targetWing] = [wingOf(path), wingOf(target)];
  const allowedWings = own(own(WINGS, room) ?? {}, wing);
  if (allowedWings === undefined || wing === targetWing || allowedWings.includes(targetWing)) return null;
  return `${room}/${wing} may import of ${room} ${list(allowedWings)}`;
}

const DEPENDENCIES: ReadonlySet<string> = new Set(Object.keys(manifest.dependencies));

function list(names: readonly string[]): string {
  return names.length === 0 ? "only itself" : names.join(", ");
}

function roomOf(path: string): string {
  return path.split("/")[1] ?? path;
}

/** The folder or file of a room in which a path lies. */
function wingOf(path: string): string {
  return path.split("/")[2] ?? "";
}
