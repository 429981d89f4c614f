/** The client in a page: how large it is in Vite's bundle, and what stays out. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, inject, test } from "vitest";
import { bundle } from "./bundle.ts";

const { folder } = inject("client");
/** What it was when it last changed much, gzipped: write down a new one with what made it grow. */
const KNOWN_BYTES = 51_600;
const MOST_BYTES = 60_000;
const MOST_GROWTH_BYTES = 1_500;

test("a page with the client has less than 60 kB of it, gzipped", async () => {
  const script = await bundle(
    folder,
    "page.ts",
    `import { createClient } from "@elastic-job/client";
     document.title = (await createClient({ baseUrl: location.origin }).addJob({ handler: "echo" })).jobId;`,
  );
  const bytes = gzipSync(script, { level: 9 }).length;
  const grown = bytes - KNOWN_BYTES;
  console.log(
    `the client in a bundle: ${bytes} bytes gzipped, ${grown < 0 ? "" : "+"}${grown} since it was written down`,
  );
  expect(bytes).toBeLessThan(MOST_BYTES);
  expect(Math.abs(grown), "KNOWN_BYTES in bundle.test.ts wants to be written anew").toBeLessThan(
    MOST_GROWTH_BYTES,
  );
});

test("a service that is not used stays out", async () => {
  const marks = await Promise.all(["cluster_service", "job_service"].map(descriptorOf));
  const script = await bundle(
    folder,
    "service.ts",
    `import { JobService } from "@elastic-job/client/services"; document.title = JobService.typeName;`,
  );
  expect(marks.map((mark) => script.includes(mark))).toEqual([false, true]);
});

/** The beginning of a file's descriptor, as its module has it. */
async function descriptorOf(name: string): Promise<string> {
  const path = join(folder, "node_modules/@elastic-job/client/dist/gen/elasticjob/v1", `${name}_pb.js`);
  const [, start] = /fileDesc\("(.{60})/.exec(await readFile(path, "utf8")) ?? [];
  if (start === undefined) throw new Error(`${path} has no descriptor`);
  return start;
}
