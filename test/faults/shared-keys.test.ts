/** Adds without keys of their own, on streams and under shared keys, while processes die: each is there once. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RowDataPacket } from "mysql2/promise";
import { expect, onTestFinished, test } from "vitest";
import { createClient } from "../../src/client/client.ts";
import type { ElasticJobClient } from "../../src/client/elastic-job-client.ts";
import { createHttp2Transport } from "../../src/client/http2.ts";
import { until } from "../fixtures/until.ts";
import { startFaultCluster } from "./fault-cluster.ts";

const ADDERS_A_NODE = 8;
const JOBS_A_CALL = 150;

test("kill -9 of masters and nodes: every add is acknowledged, and stored once under its id", async () => {
  const cluster = await startFaultCluster({ watchesRows: false });
  onTestFinished(() => cluster.stop());
  const acknowledged = new Map<string, string>();
  const stopping = new AbortController();
  let asked = 0;
  const nameOne = () => `job ${asked++}`;
  const job = (name: string) => ({ name, handler: "effect", payload: { ms: 0 } });
  const acknowledge = (name: string, jobId: string) => acknowledged.set(name, jobId);

  async function addOne(client: ElasticJobClient): Promise<void> {
    const name = nameOne();
    acknowledge(name, (await client.addJob(job(name))).jobId);
  }
  async function addMany(client: ElasticJobClient): Promise<void> {
    const names = Array.from({ length: JOBS_A_CALL }, nameOne);
    for (const [index, outcome] of (await client.addJobs(names.map(job))).entries()) {
      if ("error" in outcome) throw outcome.error;
      acknowledge(names[index] ?? "", outcome.added.jobId);
    }
  }
  const adders = cluster.nodes.flatMap(({ url }) => {
    const client = createClient({ transport: createHttp2Transport(url), timeoutMs: 25_000 });
    return Array.from({ length: ADDERS_A_NODE }, async (_, place) => {
      while (!stopping.signal.aborted) {
        await (place === 0 ? addMany(client) : addOne(client));
        await sleep(15);
      }
    });
  });
  const adding = Promise.all(adders);
  adding.catch(() => {});

  for (let round = 0; round < 4; round++) {
    const before = acknowledged.size;
    await until("adds are acknowledged", () => acknowledged.size > before + 2_000, 20_000);
    const victim = round % 2 === 0 ? await cluster.master() : cluster.nodes[round % 3];
    await victim?.kill();
    await sleep(500);
    await cluster.revive();
  }
  stopping.abort();
  await adding;
  expect(acknowledged.size).toBe(asked);
  const [rows] = await cluster.database.query<RowDataPacket[]>("SELECT name, id FROM jobinfo");
  expect(rows).toHaveLength(asked);
  expect(new Map(rows.map(({ name, id }) => [name, String(id)]))).toEqual(acknowledged);
  const [[keys]] = await cluster.database.query<RowDataPacket[]>(
    "SELECT COUNT(*) AS shared FROM jobkey WHERE k LIKE 'part:%'",
  );
  expect(keys?.["shared"]).toBeGreaterThan(4);
}, 120_000);
