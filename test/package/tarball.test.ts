/** What is in the tarballs, and what those say who look after npm's packages. */
import { execFile } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, inject, test } from "vitest";
import { usersEnvironment } from "./users-environment.ts";

const TOOLS = join(import.meta.dirname, "node_modules");
const run = promisify(execFile);

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** Of attw. */
interface Finding {
  readonly resolutionKind?: string;
}

describe.each([
  { which: "client", name: "@elastic-job/client", largest: 200_000 },
  { which: "whole", name: "elastic-job", largest: 1_000_000 },
] as const)("the package $name", ({ which, name, largest }) => {
  const { tarball, size, folder } = inject(which);
  const root = join(folder, "node_modules", name);
  const files = globSync("**", { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.startsWith("node_modules/"));
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

  test("is small", () => {
    console.log(`${name}: ${(size / 1000).toFixed(1)} kB, ${files.length} files`);
    expect(size).toBeLessThan(largest);
  });

  test("has what its manifest exports", () => {
    const targets = Object.values(manifest.exports).flatMap((value) =>
      typeof value === "string" ? [value] : Object.values(value),
    );
    for (const target of targets) {
      expect([target, globSync(target, { cwd: root }).length]).not.toEqual([target, 0]);
    }
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md"]));
  });

  test("is without a finding of publint and of attw", async () => {
    const env = usersEnvironment({}, dirname(process.execPath));
    const publint = ["run", tarball, "--strict"];
    const { stdout } = await run(join(TOOLS, ".bin/publint"), publint, { env });
    expect(stdout).toContain("All good!");
    const attw = [tarball, "--profile", "esm-only", "--format", "json"];
    const { stdout: found } = await run(join(TOOLS, ".bin/attw"), attw, { env, maxBuffer: 64 * 1024 * 1024 });
    const { analysis } = JSON.parse(found) as {
      readonly analysis: { readonly problems: readonly Finding[] };
    };
    // Of what the profile leaves out: programs that know no exports, and `require` of what is a module.
    const isLeftOut = ({ resolutionKind = "" }: Finding) => ["node10", "node16-cjs"].includes(resolutionKind);
    expect(analysis.problems.filter((finding) => !isLeftOut(finding))).toEqual([]);
  });

  test("imports and maps nothing that is not there", () => {
    for (const path of files.filter((each) => /\.(m?js|d\.m?ts)$/.test(each))) {
      const text = readFileSync(join(root, path), "utf8");
      for (const [, specifier = ""] of text.matchAll(/\b(?:from |import |import\()"(\.[^"]+)"/g)) {
        const target = join(root, dirname(path), specifier);
        expect([path, specifier, specifier.endsWith(".ts")]).toEqual([path, specifier, false]);
        // Of a module that only types need, only the types are kept.
        expect([path, specifier, existsSync(path.includes(".d.") ? asTypes(target) : target)]).toEqual([
          path,
          specifier,
          true,
        ]);
      }
    }
    for (const path of files.filter((each) => each.endsWith(".js"))) {
      const map = JSON.parse(readFileSync(join(root, `${path}.map`), "utf8")) as { sources: string[] };
      const [source = ""] = map.sources;
      expect(join(dirname(path), source)).toBe(path.replace(/^dist(.*)\.js$/, "src$1.ts"));
      if (which === "client") expect(files).toContain(join(dirname(path), source));
    }
  });

  test("has the public services, and neither their internal one nor tests", () => {
    expect(files.filter((path) => path.startsWith("proto/")).sort()).toEqual([
      "proto/elasticjob/v1/cluster_service.proto",
      "proto/elasticjob/v1/job.proto",
      "proto/elasticjob/v1/job_service.proto",
    ]);
    expect(files.filter((path) => /\.test\.|tsconfig/.test(path))).toEqual([]);
    if (which === "client") expect(files.filter((path) => path.includes("node_service"))).toEqual([]);
  });

  test("brings no Node, and of the client only three packages", () => {
    const names = Object.keys(manifest.dependencies);
    expect(existsSync(join(folder, "node_modules/.bin/node"))).toBe(false);
    if (which !== "client") return;
    const connect = ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-web"];
    expect(names).toEqual(connect);
    expect(Object.keys(manifest.peerDependencies ?? {})).toEqual(["@connectrpc/connect-node"]);
  });
});

function asTypes(path: string): string {
  return path.replace(/\.(m?)js$/, ".d.$1ts");
}
