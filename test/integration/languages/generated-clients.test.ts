/** Code that others generate as docs/clients.md says, from the folder that it names, and what they write with it. */
import { execFile } from "node:child_process";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pageBlocks } from "../../fixtures/page-blocks.ts";
import { hasPythonWithGrpc, PYTHON } from "../../fixtures/python-grpc.ts";
import { type ServingProcess, startServing } from "../../fixtures/serving-process.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PROGRAMS = join(ROOT, "node_modules/.bin");
const run = promisify(execFile);

let serving: ServingProcess;
beforeAll(async () => {
  serving = await startServing();
});
afterAll(() => serving.stop());

/** A folder beside a "clone", in which what the page says of a language has been generated. */
async function generated(language: string, change: (settings: string) => string = (same) => same) {
  const folder = join(serving.folder, `${language}-${(await readdir(serving.folder)).length}`);
  await mkdir(folder);
  await symlink(ROOT, join(folder, "elastic-job"));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const [settings = ""] = pageBlocks("clients.md", "yaml", language);
  await writeFile(join(folder, "buf.gen.yaml"), change(settings));
  await writeFile(join(folder, "package.json"), '{"type": "module"}');
  const env = { ...process.env, PATH: `${PROGRAMS}:${process.env["PATH"]}` };
  await run(join(PROGRAMS, "buf"), ["generate"], { cwd: folder, env });
  return folder;
}

/** The page's program, as it would call the node of this test. */
function program(language: string, fence: string): string {
  const [source = ""] = pageBlocks("clients.md", fence, language);
  const address = serving.nodeUrl.replace("http://", "");
  expect(source).toContain("127.0.0.1:7070");
  return source.replace("127.0.0.1:7070", address);
}

const strict = ["--noEmit", "--strict", "--target", "esnext", "--skipLibCheck", "--types", "node"];
const tsc = (folder: string, ...args: string[]) =>
  run(join(PROGRAMS, "tsc"), [...strict, ...args, "script.ts"], { cwd: folder });

test("TypeScript that is generated as the page says runs as it is, and adds a job", async () => {
  const folder = await generated("TypeScript");
  await writeFile(join(folder, "script.ts"), program("TypeScript", "ts"));
  await tsc(folder, "--module", "nodenext", "--allowImportingTsExtensions", "--erasableSyntaxOnly");
  const { stdout } = await run(process.execPath, ["script.ts"], { cwd: folder });
  expect(stdout).toMatch(/^job \d+ has succeeded\n$/);
});

test("TypeScript with the extension of what tsc compiles is accepted by tsc", async () => {
  const forTsc = (settings: string) =>
    settings.replace("import_extension=ts", "import_extension=js").replace(/.*erasable_syntax=true\n/, "");
  const folder = await generated("TypeScript", forTsc);
  await writeFile(join(folder, "script.ts"), program("TypeScript", "ts").replaceAll("_pb.ts", "_pb.js"));
  await tsc(folder, "--module", "nodenext");
});

test.skipIf(!hasPythonWithGrpc())(
  "Python that is generated as the page says adds a job over gRPC, and watches it end",
  async () => {
    const folder = await generated("Python");
    await writeFile(join(folder, "client.py"), program("Python", "python"));
    const { stdout } = await run(PYTHON, ["client.py"], { cwd: folder });
    expect(stdout).toMatch(/^job \d+ has succeeded\n$/);
  },
);

test("the folder that the page names has what callers need, and nothing between nodes", async () => {
  const files = await readdir(join(ROOT, "proto/public"), { recursive: true });
  const protos = files.filter((name) => name.endsWith(".proto"));
  expect(protos.map((name) => name.replace("elasticjob/v1/", "")).toSorted()).toEqual([
    "cluster_service.proto",
    "job.proto",
    "job_service.proto",
  ]);
  const { stdout } = await run(join(PROGRAMS, "buf"), ["build", "proto/public", "-o", "-#format=json"], {
    cwd: ROOT,
    maxBuffer: 64 * 1024 * 1024,
  });
  const names = (JSON.parse(stdout) as { file: { name: string }[] }).file.map(({ name }) => name);
  expect(names.filter((name) => !/^(elasticjob\/v1|google\/protobuf)\//.test(name))).toEqual([]);
});
