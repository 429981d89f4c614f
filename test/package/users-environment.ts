import { delimiter, join } from "node:path";

export const NPM = "npm";
const ROOT = join(import.meta.dirname, "../..");

/** Without what npm has set for the script that runs here, and without the programs of this repository. `node`: the folder of the one to find first. */
export function usersEnvironment(more: Record<string, string> = {}, node?: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|VITEST|INIT_CWD)/i.test(name));
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.startsWith(ROOT));
  const PATH = [...(node === undefined ? [] : [node]), ...path].join(delimiter);
  return { ...Object.fromEntries(own), PATH, ...more };
}
