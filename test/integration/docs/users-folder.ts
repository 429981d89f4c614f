/** A folder as a user has one: the packages are installed in it, and nothing else of this repository is near. */
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import root from "../../../package.json" with { type: "json" };
import client from "../../../packages/client/package.json" with { type: "json" };
import { ROOT } from "./page-code.ts";

export interface UsersFolder {
  readonly path: string;
  /** Has `elastic-job` and `npx elastic-job` first. */
  readonly env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

export async function usersFolder(): Promise<UsersFolder> {
  const path = await mkdtemp(join(tmpdir(), "elastic-job-docs-"));
  const modules = join(path, "node_modules");
  const installed = (await readdir(join(ROOT, "node_modules"))).filter((name) => !name.startsWith("."));
  await mkdir(modules);
  for (const name of installed) await symlink(join(ROOT, "node_modules", name), join(modules, name));
  await symlink(ROOT, join(modules, "elastic-job"));
  await linkClient(path, join(modules, "@elastic-job/client"));
  await writeFile(join(path, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const programs = join(path, "programs");
  await mkdir(programs);
  const start = `exec ${process.execPath} ${join(ROOT, "src/cli/start.mjs")}`;
  const program = (name: string, text: string) =>
    writeFile(join(programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await program("elastic-job", `${start} "$@"`);
  // What it has to find is installed.
  await program("npx", 'exec "$@"');
  await program("npm", `shift 4; ${start} "$@"`);
  const env = { PATH: [programs, dirname(process.execPath), process.env["PATH"]].join(":") };
  return { path, env, remove: () => rm(path, { recursive: true }) };
}

/** The package's names for what stands in this repository; a package's own files cannot be elsewhere, so `src` is linked. */
async function linkClient(path: string, link: string): Promise<void> {
  const folder = join(path, "client-package");
  await mkdir(folder);
  await symlink(join(ROOT, "src"), join(folder, "src"));
  const sources: Readonly<Record<string, string>> = root.exports;
  const exports = Object.fromEntries(
    Object.keys(client.exports).flatMap((name) => {
      const source = sources[name === "." ? "./client" : name];
      return source?.startsWith("./src/") ? [[name, source]] : [];
    }),
  );
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ name: client.name, type: "module", exports }),
  );
  await mkdir(dirname(link), { recursive: true });
  await symlink(folder, link);
}
