/** Each Node that the packages are tried on, as npm's packages of this platform. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import tools from "./package.json" with { type: "json" };

export interface NodeVersion {
  /** Its name in package.json; the one that everything here runs on has none there. */
  readonly name: string;
  /** The folder of the program. */
  readonly folder: string;
  readonly path: string;
}

/** The oldest of those that the client is for. */
export const OLDEST = installed("node-20");
/** Of those that are too old for a node of the cluster. */
export const TOO_OLD = [OLDEST, installed("node-22"), installed("node-24")];
/** The oldest that a node of the cluster is for. */
export const FIRST = installed("node-26-first");
export const CURRENT: NodeVersion = nodeIn("current", join(process.execPath, ".."));
export const ALL = [...TOO_OLD, FIRST, CURRENT];

function installed(name: keyof typeof tools.optionalDependencies): NodeVersion {
  const version = nodeIn(name, join(import.meta.dirname, "node_modules", name, "bin"));
  if (!existsSync(version.path)) {
    throw new Error(
      `${version.path} is not there: test/package/package.json names packages for Linux on x64 only`,
    );
  }
  return version;
}

function nodeIn(name: string, folder: string): NodeVersion {
  return { name, folder, path: join(folder, "node") };
}
