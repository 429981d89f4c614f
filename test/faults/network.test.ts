/** The network between nodes delays, drops and cuts, in one direction or both; and a node's clock is wrong. */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type FaultCluster, LEASE_MS, startFaultCluster } from "./fault-cluster.ts";
import { runSeed } from "./run-seed.ts";
import { underLoad } from "./under-load.ts";

const seed = runSeed();
const SHIFT_MS = 5 * 60_000;
const SHIFTED = pathToFileURL(join(import.meta.dirname, "../cluster/shifted-clock.mjs")).href;

describe(`the network between nodes misbehaves (seed ${seed})`, { timeout: 60_000 }, () => {
  let cluster: FaultCluster;
  beforeAll(async () => {
    cluster = await startFaultCluster({ proxied: true });
  });
  afterEach(() => Promise.all(cluster.nodes.map((node) => node.proxies?.peer.heal())));
  afterAll(() => cluster?.stop());

  test("everything is 200 ms late", async () => {
    await underLoad(cluster, { seed }, async () => {
      for (const node of cluster.nodes) node.proxies?.peer.delay(200);
      await sleep(3_000);
    });
  });

  test.each(["to-server", "to-client"] as const)(
    "the master's connections lose all that goes %s, beyond a lease",
    async (direction) => {
      await underLoad(cluster, { seed }, async () => {
        const master = await cluster.master();
        master.proxies?.peer.swallow(direction);
        await sleep(LEASE_MS * 2);
        await master.proxies?.peer.heal();
      });
    },
  );

  test("connections are cut, again and again", async () => {
    await underLoad(cluster, { seed }, async () => {
      for (let round = 0; round < 20; round++) {
        for (const node of cluster.nodes) node.proxies?.peer.cut();
        await sleep(100 + round * 10);
      }
    });
  });
});

describe(`wrong clocks (seed ${seed})`, { timeout: 60_000 }, () => {
  let cluster: FaultCluster;
  beforeAll(async () => {
    cluster = await startFaultCluster({
      envOf: (index) =>
        index === 0
          ? {}
          : { NODE_OPTIONS: `--import=${SHIFTED}`, CLOCK_SHIFT_MS: `${index === 1 ? SHIFT_MS : -SHIFT_MS}` },
    });
  });
  afterAll(() => cluster?.stop());

  test("nodes 5 minutes ahead and behind run everything at its time, also as master", async () => {
    await underLoad(cluster, { seed }, async () => {
      for (const node of cluster.nodes) {
        if ((await cluster.master()) !== node) continue;
        await node.kill();
        await cluster.master();
        await sleep(2_000);
        await node.restart();
      }
      const { results, now } = await cluster.evidence([]);
      const off = results.filter(
        (row) => !row.late && (Math.abs(row.endTime - row.scheduledAt) > 30_000 || row.endTime > now + 1000),
      );
      expect(off).toEqual([]);
    });
  });
});
