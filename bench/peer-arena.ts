/** A peer: a process that adds, processes that work, a database of its own. */
import { randomBytes } from "node:crypto";
import type { PrivateServer } from "../test/servers/private-server.ts";
import { type Arena, DONE_LIMIT_MS } from "./arena.ts";
import { type Child, startChild } from "./child-process.ts";
import { type Peer, preciseNow } from "./contender.ts";

export async function openPeer(
  name: Peer,
  servers: { readonly redis: PrivateServer; readonly postgres: PrivateServer | null },
): Promise<Arena> {
  const addresses = {
    redis: servers.redis.url,
    postgres: servers.postgres === null ? "" : await createDatabase(servers.postgres.url),
    node: "",
  };
  const adder = startChild();
  const workers: Child[] = [];
  let beganAt = 0;
  await adder.call("openAdder", name, addresses);
  await adder.call("prepare");
  return {
    name,
    adder,
    async startWorkers(count) {
      const started = Array.from({ length: count }, () => startChild());
      workers.push(...started);
      // Processes and their modules first: what is measured begins with their work.
      await Promise.all(started.map((worker) => worker.call("started")));
      beganAt = preciseNow();
      await Promise.all(started.map((worker) => worker.call("openWorker", name, addresses)));
    },
    untilDone: () => adder.call("untilDone", DONE_LIMIT_MS),
    beganAt: async () => beganAt,
    async takeStamps() {
      return (await Promise.all(workers.map((worker) => worker.call("takeStamps")))).flat();
    },
    pids: () => ({
      adder: [adder.pid],
      workers: workers.map(({ pid }) => pid),
      store: [name === "bullmq" ? servers.redis.pid : (servers.postgres?.pid ?? 0)],
    }),
    async verify(adds) {
      const left = await adder.call("unfinished");
      const runs = (await Promise.all(workers.map((worker) => worker.call("started")))).reduce(
        (a, b) => a + b,
        0,
      );
      if (left !== 0 || runs !== adds)
        throw new Error(`${name}: ${runs} starts of ${adds} jobs, ${left} left`);
      return `${runs} starts, none left`;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
      await adder.close();
    },
  };
}

async function createDatabase(url: string): Promise<string> {
  const { Client } = await import("pg");
  const client = new Client({ connectionString: url });
  await client.connect();
  const name = `bench_${randomBytes(4).toString("hex")}`;
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  return url.replace(/[^/]*$/, name);
}
