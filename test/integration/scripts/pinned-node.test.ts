/** What install.mjs accepts as the Node on which everything runs, from a registry of the test's own. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import rootManifest from "../../../package.json" with { type: "json" };
import rootLock from "../../../package-lock.json" with { type: "json" };
import runtime from "../../../runtime/package.json" with { type: "json" };

const INSTALL = join(import.meta.dirname, "../../../scripts/install.mjs");
const VERSION = "26.10.0";
const NAME = "node-of-this-platform";

const run = promisify(execFile);
let root: string;
let server: Server | undefined;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pinned-node-"));
  await Promise.all(["scripts", "runtime"].map((folder) => mkdir(join(root, folder))));
  await copyFile(INSTALL, join(root, "scripts/install.mjs"));
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  await rm(root, { recursive: true });
});

/** A package whose program, and whose install script, leave a file. */
async function pack(what: string): Promise<Buffer> {
  const folder = join(root, what);
  await mkdir(join(folder, "bin"), { recursive: true });
  await writeFile(join(folder, "bin/node"), `#!/bin/sh\necho ${what}\n`, { mode: 0o755 });
  const scripts = { preinstall: `touch ${join(root, "ran")}` };
  await writeJson(join(what, "package.json"), { ...description(), scripts });
  await run("npm", ["pack", "--offline", "--ignore-scripts"], { cwd: folder });
  return readFile(join(folder, `${NAME}-${VERSION}.tgz`));
}

const description = () => ({
  name: NAME,
  version: VERSION,
  bin: { node: "bin/node" },
  os: [process.platform],
  cpu: [process.arch],
});

/** A registry that has this as the package, and says so. */
async function serve(tarball: Buffer): Promise<string> {
  const registry = createServer((request, response) => {
    if (request.url?.endsWith(".tgz") === true) return void response.end(tarball);
    const dist = { tarball: `http://${request.headers.host}/${NAME}.tgz`, integrity: sha512(tarball) };
    const versions = { [VERSION]: { ...description(), hasInstallScript: true, dist } };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ name: NAME, "dist-tags": { latest: VERSION }, versions }));
  });
  server = registry;
  await new Promise<void>((listening) => registry.listen(0, "127.0.0.1", listening));
  const address = registry.address();
  if (address === null || typeof address === "string") throw new Error("the registry has no port");
  return `http://127.0.0.1:${address.port}/`;
}

const sha512 = (bytes: Buffer) => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
const writeJson = (path: string, value: unknown) => writeFile(join(root, path), JSON.stringify(value));

/** Installs from `registry` a project whose lock file has this hash of the package. */
async function install(registry: string, integrity: string) {
  const optionalDependencies = { [NAME]: VERSION };
  const manifest = { name: "x", version: "1.0.0", devDependencies: { "x-runtime": "file:runtime" } };
  const folder = { name: "x-runtime", version: "0.0.0", optionalDependencies };
  await writeJson("package.json", manifest);
  await writeJson("runtime/package.json", folder);
  await writeJson("package-lock.json", {
    name: "x",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": manifest,
      runtime: { ...folder, dev: true },
      "node_modules/x-runtime": { resolved: "runtime", link: true },
      [`node_modules/${NAME}`]: {
        ...description(),
        integrity,
        dev: true,
        optional: true,
        hasInstallScript: true,
      },
    },
  });
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    npm_config_registry: registry,
    npm_config_cache: join(root, "cache"),
    npm_config_fetch_retries: "0",
  };
  delete env["npm_execpath"];
  return run(process.execPath, [join(root, "scripts/install.mjs")], { env }).then(
    () => "",
    (error: { stderr?: string }) => error.stderr ?? String(error),
  );
}

test("the runtime is what the lock file has the hash of, and nothing of it runs at the install", async () => {
  const tarball = await pack("honest");
  expect(await install(await serve(tarball), sha512(tarball))).toBe("");
  const { stdout } = await run(join(root, "node_modules/.bin/node"), []);
  expect(stdout.trim()).toBe("honest");
  expect(existsSync(join(root, "ran"))).toBe(false);
}, 60_000);

test("another runtime, which the registry vouches for, is refused and not left behind", async () => {
  const [honest, forged] = [await pack("honest"), await pack("forged")];
  expect(await install(await serve(forged), sha512(honest))).toMatch(/npm ci (failed|left no )/);
  expect(existsSync(join(root, "node_modules", NAME, "bin/node"))).toBe(false);
  expect(existsSync(join(root, "node_modules/.bin/node"))).toBe(false);
  expect(existsSync(join(root, "ran"))).toBe(false);
}, 60_000);

test("the runtime comes with the clone only: not with what is packed, nor into the images", () => {
  const packed: Record<string, Record<string, string> | undefined> = {
    dependencies: rootManifest.dependencies,
    optionalDependencies: (rootManifest as { optionalDependencies?: Record<string, string> })
      .optionalDependencies,
  };
  const brought = Object.values(packed).flatMap((names) => Object.keys(names ?? {}));
  expect(brought.filter((name) => /^(node|elastic-job-runtime)(-|$)/.test(name))).toEqual([]);
  const locked = rootLock.packages as Record<string, { version?: string; dev?: boolean; optional?: boolean }>;
  for (const [name, version] of Object.entries(runtime.optionalDependencies)) {
    // The images install without what is `dev`.
    expect(locked[`node_modules/${name}`]).toMatchObject({ version, dev: true, optional: true });
  }
});
