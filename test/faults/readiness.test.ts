/** Servers that stand still refuse nothing: that nobody would answer an add is told all the same, by everybody, in time, and with the reason. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type RunningEdge, startEdge } from "../../src/edge/node.ts";
import { startNodeProcess } from "../cluster/node-process.ts";
import { startCluster, type TestCluster } from "../cluster/test-cluster.ts";
import { until } from "../fixtures/until.ts";
import { freePort } from "../servers/free-port.ts";
import { type OwnMysql, startOwnMysql } from "../servers/own-mysql.ts";
import { type OwnRedis, spawnRedis } from "../servers/own-redis.ts";
import { freshPrefix } from "../servers/shared.ts";

const FROZEN_MS = 7_000;
const TOLD_WITHIN_MS = 3_000;
const BACK_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 50;

interface Look {
  readonly at: number;
  readonly status: number;
  readonly text: string;
}

describe("a server that is frozen for 7 s", { timeout: 60_000 }, () => {
  let redis: OwnRedis;
  let mysql: OwnMysql;
  let cluster: TestCluster;
  let edge: RunningEdge;
  let urls: string[];
  let watching = new AbortController();
  beforeAll(async () => {
    [redis, mysql] = await Promise.all([spawnRedis({}), startOwnMysql()]);
    cluster = await startCluster({
      databaseUrl: mysql.url,
      redisUrl: `redis://127.0.0.1:${redis.port}/0`,
      prefix: freshPrefix(),
      nodes: 3,
      watchesRows: false,
    });
    edge = await startEdge({
      upstreams: cluster.urls(),
      allowedOrigins: [],
      isOpen: true,
      host: "127.0.0.1",
      port: 0,
    });
    urls = [...cluster.urls(), edge.url];
    await until("all are ready", async () =>
      (await everybodyAt("/readyz")).every(({ status }) => status === 200),
    );
  });
  afterEach(() => {
    watching.abort();
    for (const server of [redis, mysql]) server?.signal("SIGCONT");
  });
  afterAll(async () => {
    await edge?.close(0);
    await cluster?.stop();
    await redis?.stop();
    await mysql?.stop();
  });

  const everybodyAt = (path: string) => Promise.all(urls.map((url) => look(`${url}${path}`)));

  async function look(url: string): Promise<Look> {
    const at = performance.now();
    const answer = await fetch(url);
    return { at, status: answer.status, text: await answer.text() };
  }

  /** Asks each of them for a path, again and again, until the signal aborts. */
  async function watch(path: string, signal: AbortSignal): Promise<Look[][]> {
    const looks: Look[][] = [];
    while (!signal.aborted) {
      looks.push(await everybodyAt(path));
      await sleep(LOOK_EVERY_MS);
    }
    return looks;
  }

  async function call(url: string, path: string, body: object, timeoutMs: number) {
    const answer = await fetch(`${url}/elasticjob.v1.${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "connect-timeout-ms": `${timeoutMs}` },
      body: JSON.stringify(body),
    });
    return { isOk: answer.ok, ...((await answer.json()) as { message?: string; notReady?: string }) };
  }

  test.each([
    ["Redis", () => redis],
    ["MySQL", () => mysql],
  ])("%s: everybody says 503 within 3 s, for that reason, and 200 again by itself", async (name, server) => {
    const sentence = new RegExp(`${name} has not answered (the master at \\S+ )?for \\d+\\.\\d s`);
    watching = new AbortController();
    const frozenAt = performance.now();
    server().signal("SIGSTOP");
    const seen = Promise.all([watch("/readyz", watching.signal), watch("/healthz", watching.signal)]);
    await sleep(TOLD_WITHIN_MS);

    const adds = urls.map((url) => call(url, "JobService/AddJob", { handler: "echo" }, 2_000));
    for (const { isOk, message } of await Promise.all(adds)) {
      expect([isOk, message]).toEqual([false, expect.stringMatching(sentence)]);
    }
    const clusters = urls.map((url) => call(url, "ClusterService/GetCluster", {}, 2_000));
    for (const { isOk, notReady } of await Promise.all(clusters)) {
      expect([isOk, notReady]).toEqual([true, expect.stringMatching(sentence)]);
    }

    await sleep(Math.max(0, frozenAt + FROZEN_MS - performance.now()));
    server().signal("SIGCONT");
    const thawedAt = performance.now();
    await until(
      "all are ready again",
      async () => (await everybodyAt("/readyz")).every(({ status }) => status === 200),
      BACK_WITHIN_MS,
    );
    watching.abort();
    const [ready, healthy] = await seen;
    for (const [index, url] of urls.entries()) {
      const looks = ready.map((each) => each[index]).filter((one) => one !== undefined);
      const first = looks.find(({ status }) => status === 503);
      expect([url, first !== undefined && first.at - frozenAt < TOLD_WITHIN_MS]).toEqual([url, true]);
      const meanwhile = looks.filter(({ at }) => at > frozenAt + TOLD_WITHIN_MS && at < thawedAt - 1_000);
      expect(meanwhile.length).toBeGreaterThan(10);
      for (const { status, text } of meanwhile) {
        expect([status, text]).toEqual([503, expect.stringMatching(sentence)]);
      }
    }
    expect(healthy.flat().map(({ status }) => status)).toEqual(healthy.flat().map(() => 200));
    for (const url of urls) {
      const added = await call(url, "JobService/AddJob", { handler: "echo" }, 5_000);
      expect([added.isOk, added.message]).toEqual([true, undefined]);
    }
  });

  test("MySQL: a node that starts meanwhile lives, so that nobody restarts it, and is ready by itself afterwards", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    mysql.signal("SIGSTOP");
    const starting = startNodeProcess({
      MYSQL_URL: mysql.url,
      REDIS_URL: `redis://127.0.0.1:${redis.port}/0`,
      CLUSTER_PREFIX: cluster.prefix,
      PORT: `${port}`,
    });
    try {
      const lives = () =>
        look(`${url}/healthz`).then(
          ({ status }) => status === 200,
          () => false,
        );
      await until("it lives", lives, 20_000);
      const isTold = async () => (await look(`${url}/readyz`)).text.includes("MySQL has not answered for");
      await until("it says why it is not ready", isTold, TOLD_WITHIN_MS);
      expect(await look(`${url}/readyz`)).toMatchObject({ status: 503 });
      mysql.signal("SIGCONT");
      const isReady = async () => (await look(`${url}/readyz`)).status === 200;
      await until("it is ready", isReady, BACK_WITHIN_MS);
    } finally {
      mysql.signal("SIGCONT");
      await (await starting).kill();
    }
  });
});
