/**
 * `npm run soak -- --minutes 3 --seed 42`: random faults of all kinds while jobs of all kinds flow, then the
 * checker. Prints the seed, each fault, counts and the verdict; exits with 1 when anything is wrong.
 */
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { RowDataPacket } from "mysql2/promise";
import { OUTCOME } from "../../src/core/job.ts";
import { SeededRandom } from "../../src/testing/seeded-random.ts";
import { findViolations, stuckJobs } from "../cluster/checker.ts";
import { openConnection } from "../cluster/evidence.ts";
import { startCluster, type TestCluster } from "../cluster/test-cluster.ts";
import { startWorkload } from "../cluster/workload.ts";
import { until } from "../fixtures/until.ts";
import { type OwnMysql, startOwnMysql } from "../servers/own-mysql.ts";
import { type OwnRedis, spawnRedis } from "../servers/own-redis.ts";
import { deadlockStorm } from "./deadlock-storm.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "3" },
    seed: { type: "string", default: String(randomInt(2 ** 32)) },
    nodes: { type: "string", default: "4" },
    rate: { type: "string", default: "40" },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  throw new Error(
    `--minutes ${values.minutes} --seed ${values.seed}: use a positive number and a whole number`,
  );
}

interface World {
  readonly cluster: TestCluster;
  readonly mysql: OwnMysql;
  redis: OwnRedis;
  readonly random: SeededRandom;
}

type Fault = (world: World) => Promise<string>;

const anyNode = ({ cluster, random }: World) => random.pick(cluster.nodes.filter(({ isUp }) => isUp));
const proxiesOf = ({ cluster }: World, kind: "mysql" | "redis" | "peer") =>
  cluster.nodes.flatMap(({ proxies }) => (proxies === null ? [] : [proxies[kind]]));

async function outage(world: World, kind: "mysql" | "redis", ms: number): Promise<string> {
  const proxies = proxiesOf(world, kind);
  await Promise.all(proxies.map((proxy) => proxy.refuse()));
  await sleep(ms);
  await Promise.all(proxies.map((proxy) => proxy.heal()));
  return `${kind} out of reach for ${ms} ms`;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  async killMaster({ cluster, random }) {
    const master = await cluster.master();
    await master.kill();
    await sleep(random.between(0, 4000));
    await master.restart();
    return `killed the master ${master.name}`;
  },
  async killNode(world) {
    const node = anyNode(world);
    await node.kill();
    await sleep(world.random.between(0, 4000));
    await node.restart();
    return `killed ${node.name}`;
  },
  async killTwo({ cluster, random }) {
    const master = await cluster.master();
    const other = random.pick(cluster.others(master));
    await Promise.all([master.kill(), other.kill()]);
    await sleep(random.between(0, 2000));
    await Promise.all([master.restart(), other.restart()]);
    return `killed ${master.name} (master) and ${other.name}`;
  },
  async stopNode(world) {
    const node = anyNode(world);
    node.isUp = false;
    const code = await node.process.stop();
    await node.restart();
    return `stopped ${node.name} in good order (it exited with ${code})`;
  },
  async freezeMaster({ cluster, random }) {
    const master = await cluster.master();
    const ms = random.between(500, 10_000);
    master.process.signal("SIGSTOP");
    await sleep(ms);
    master.process.signal("SIGCONT");
    return `froze the master ${master.name} for ${ms} ms`;
  },
  async freezeNode(world) {
    const node = anyNode(world);
    const ms = world.random.between(500, 10_000);
    node.process.signal("SIGSTOP");
    await sleep(ms);
    node.process.signal("SIGCONT");
    return `froze ${node.name} for ${ms} ms`;
  },
  async twoMasters({ cluster, redis }) {
    const master = await cluster.master();
    const { epoch } = await cluster.mastership();
    master.process.signal("SIGSTOP");
    await redis.command("FLUSHALL");
    for (let tries = 0; tries < 500 && (await cluster.mastership()).epoch === epoch; tries++) await sleep(10);
    master.process.signal("SIGCONT");
    return `two masters at once: ${master.name} and the next`;
  },
  async restartRedis(world) {
    const { port } = world.redis;
    await world.redis.stop();
    await sleep(world.random.between(0, 1000));
    world.redis = await spawnRedis({ port });
    return "restarted Redis";
  },
  async flushRedis({ redis }) {
    await redis.command("FLUSHALL");
    return "FLUSHALL";
  },
  redisOutage: (world) =>
    outage(world, "redis", world.random.chance(0.2) ? 30_000 : world.random.between(1000, 8000)),
  mysqlOutage: (world) =>
    outage(world, "mysql", world.random.chance(0.2) ? 20_000 : world.random.between(500, 6000)),
  async restartMysql({ mysql }) {
    await mysql.crash();
    await mysql.restart();
    return "crashed MySQL, and started it again";
  },
  async killConnections({ mysql, random }) {
    const operator = await openConnection(mysql.url);
    const rounds = random.between(5, 60);
    for (let round = 0; round < rounds; round++) {
      const [rows] = await operator.query<RowDataPacket[]>(
        "SELECT id FROM information_schema.processlist WHERE db = 'elasticjob' AND id <> CONNECTION_ID() ORDER BY RAND() LIMIT 2",
      );
      for (const row of rows) await operator.query(`KILL ${row["id"]}`).catch(() => {});
      await sleep(30);
    }
    operator.destroy();
    return `killed connections to MySQL, ${rounds} times`;
  },
  async cutCommits(world) {
    for (const content of ["COMMIT", "load ", "least-loaded"]) {
      for (const proxy of proxiesOf(world, "mysql")) proxy.cutAfter(content);
      await sleep(500);
    }
    for (const proxy of proxiesOf(world, "mysql")) await proxy.heal();
    return "cut connections to MySQL right after writes";
  },
  async deadlocks({ mysql, random }) {
    const ms = random.between(1000, 5000);
    await deadlockStorm(mysql.url, ms);
    return `deadlocks for ${ms} ms`;
  },
  async halfDeaf(world) {
    const node = anyNode(world);
    const kind = world.random.pick(["mysql", "redis", "peer"] as const);
    const direction = world.random.pick(["to-server", "to-client"] as const);
    const ms = world.random.between(500, 9000);
    node.proxies?.[kind].swallow(direction);
    await sleep(ms);
    await node.proxies?.[kind].heal();
    return `${node.name}'s ${kind} lost all that went ${direction}, for ${ms} ms`;
  },
  async slow(world) {
    const kind = world.random.pick(["mysql", "redis", "peer"] as const);
    const ms = world.random.between(20, 250);
    for (const proxy of proxiesOf(world, kind)) proxy.delay(ms);
    await sleep(world.random.between(500, 4000));
    for (const proxy of proxiesOf(world, kind)) await proxy.heal();
    return `all ${kind} ${ms} ms late`;
  },
  async cutPeers(world) {
    for (let round = 0; round < 10; round++) {
      for (const proxy of proxiesOf(world, "peer")) proxy.cut();
      await sleep(world.random.between(10, 300));
    }
    return "cut the streams between nodes, 10 times";
  },
};

async function main(): Promise<boolean> {
  console.log(`soak: ${minutes} minutes, ${values.nodes} nodes, seed ${seed}`);
  const [mysql, redis] = await Promise.all([startOwnMysql(), spawnRedis({})]);
  const cluster = await startCluster({
    databaseUrl: mysql.url,
    redisUrl: `redis://127.0.0.1:${redis.port}/0`,
    prefix: `soak-${seed}:`,
    nodes: Number(values.nodes),
    proxied: true,
    env: { LOCK_TTL_MS: "2000", NODE_LEASE_MS: "4000" },
  });
  const random = new SeededRandom(seed);
  const world: World = { cluster, mysql, redis, random };
  const workload = startWorkload({
    seed,
    urls: cluster.urls,
    jobsPerSecond: Number(values.rate),
    recurring: 6,
    rough: true,
  });
  const startedAt = performance.now();
  const happened = new Map<string, number>();
  try {
    while (performance.now() - startedAt < minutes * 60_000) {
      // Sometimes two at once.
      const names = Array.from({ length: random.chance(0.25) ? 2 : 1 }, () =>
        random.pick(Object.keys(FAULTS)),
      );
      const chosen = [...new Set(names)];
      const told = await Promise.allSettled(chosen.map((name) => FAULTS[name]?.(world)));
      for (const [index, name] of chosen.entries()) {
        happened.set(name, (happened.get(name) ?? 0) + 1);
        const one = told[index];
        const text =
          one?.status === "fulfilled" ? one.value : `${name}: ${String(one?.reason).slice(0, 1500)}`;
        console.log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s  ${text}`);
      }
      // Two at once may have left behind what each alone would have mended.
      for (const node of cluster.nodes) {
        node.process.signal("SIGCONT");
        for (const proxy of Object.values(node.proxies ?? {})) await proxy.heal();
        if (!node.process.isAlive()) await node.restart();
      }
      await sleep(random.between(200, 4000));
    }
    await workload.finish(60_000);
    // What is stuck is told by the checker too, with all else that is wrong.
    await cluster.settled(120_000).catch((error: unknown) => console.error(String(error).slice(0, 3000)));
    // The last fault may have ended a moment ago: what it held up is given up only after a lease, and tried again then.
    const isStuck = async () => [...stuckJobs(await cluster.evidence([]))].length > 0;
    await until("recurring jobs go on", async () => !(await isStuck()), 60_000).catch(() => undefined);
    const evidence = await cluster.evidence(workload.acknowledged);
    const violations = findViolations(evidence);
    report(happened, evidence);
    for (const violation of violations) console.log(`VIOLATION ${violation}`);
    console.log(
      `seed ${seed}: ${violations.length === 0 ? "all guarantees held" : `${violations.length} violations`}`,
    );
    return violations.length === 0;
  } finally {
    await cluster.stop();
    await world.redis.stop();
    await mysql.stop();
  }
}

function report(
  happened: ReadonlyMap<string, number>,
  evidence: Awaited<ReturnType<TestCluster["evidence"]>>,
): void {
  const { results, effects, acknowledged } = evidence;
  const outcomes = Object.entries(OUTCOME).map(
    ([name, outcome]) => `${name} ${results.filter((row) => row.outcome === outcome && !row.late).length}`,
  );
  console.log(`faults: ${[...happened].map(([name, count]) => `${name} ${count}`).join(", ")}`);
  console.log(
    `acknowledged ${acknowledged.length}, starts ${effects.filter(({ event }) => event === "start").length}, ` +
      `${outcomes.join(", ")}, late ${results.filter(({ late }) => late).length}`,
  );
}

let isSound = false;
try {
  isSound = await main();
} catch (error) {
  console.error(`seed ${seed}:`, error);
}
process.exit(isSound ? 0 : 1);
