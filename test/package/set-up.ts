/**
 * Makes the packages, and installs each from its tarball in a folder that is empty but for it, outside of this
 * repository, as its users do. The tests write what users write beside it.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import rootManifest from "../../package.json" with { type: "json" };
import { NPM, usersEnvironment } from "./users-environment.ts";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

export interface Installed {
  readonly tarball: string;
  /** Of the tarball, in bytes. */
  readonly size: number;
  /** Where it is installed. */
  readonly folder: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    client: Installed;
    whole: Installed;
    /** A folder in which, and above which, nothing is installed. */
    empty: string;
  }
}

export default async function setUp({ provide }: TestProject): Promise<() => Promise<void>> {
  const work = await mkdtemp(join(tmpdir(), "elastic-job-package-"));
  await run(process.execPath, [join(ROOT, "scripts/build-packages.ts")]);
  const types = `@types/node@${rootManifest.devDependencies["@types/node"]}`;
  const zod = `zod@${rootManifest.dependencies.zod}`;
  const [client, whole] = await Promise.all([
    install(work, "client", [types, zod, "@connectrpc/connect-node"]),
    install(work, "elastic-job", [types]),
  ]);
  provide("client", client);
  provide("whole", whole);
  provide("empty", work);
  return () => rm(work, { recursive: true });
}

async function install(work: string, name: string, beside: readonly string[]): Promise<Installed> {
  const env = usersEnvironment();
  const packing = ["pack", "--json", "--pack-destination", work];
  const { stdout } = await run(NPM, packing, { cwd: join(ROOT, "dist", name), env });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string; size: number }>);
  if (packed === undefined) throw new Error(`npm pack told nothing of ${name}`);
  const tarball = join(work, packed.filename);
  const folder = await mkdtemp(join(work, `${name}-`));
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run(NPM, ["install", "--no-audit", "--no-fund", "--prefer-offline", tarball, ...beside], {
    cwd: folder,
    env,
  });
  return { tarball, size: packed.size, folder };
}
