/** What operators are told by nodes that do not come together: real processes, with each trouble made and mended. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type NodeProcess, startNodeProcess } from "../../cluster/node-process.ts";
import { linesOf, reasonOf, untilLogged, untilReady, untilReason } from "../../cluster/told-by-node.ts";
import { certificateFolder, replaceCertificate } from "../../fixtures/certificates.ts";
import { until } from "../../fixtures/until.ts";
import { letNodeIn } from "../../servers/least-rights.ts";
import { type OwnRedis, spawnRedis } from "../../servers/own-redis.ts";
import { freshDatabase } from "../../servers/shared.ts";

const NAME = "nodes.internal";
const folder = certificateFolder();
const authority = folder.authority("authority");
const issue = (name: string, days?: number) => authority.issue(name, [`DNS:${NAME}`], days);

let database: Awaited<ReturnType<typeof freshDatabase>>;
let redis: OwnRedis;
beforeAll(async () => {
  redis = await spawnRedis({});
});
beforeEach(async () => {
  database = await freshDatabase();
  await redis.command("FLUSHALL");
});
const running: NodeProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.kill()));
  await database.drop();
});
afterAll(async () => {
  await redis.stop();
  folder.remove();
});

async function start(NODE_ID: string, settings: Readonly<Record<string, string>> = {}): Promise<NodeProcess> {
  const node = await startNodeProcess({
    MYSQL_URL: database.url,
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    NODE_ID,
    SLOTS: "1",
    LOCK_TTL_MS: "3000",
    ...settings,
  });
  running.push(node);
  return node;
}

function tlsOf({ certFile, keyFile }: ReturnType<typeof issue>) {
  // Plaintext is answered as well, for the test's own calls.
  return {
    TLS_CERT_FILE: certFile,
    TLS_KEY_FILE: keyFile,
    TLS_CA_FILE: authority.file,
    TLS_SERVER_NAME: NAME,
    TLS_PLAIN: "accept",
  };
}

test("a master whose certificate is over says so itself, and so does a node that comes", {
  timeout: 90_000,
}, async () => {
  const files = issue("master");
  const kept = issue("master-renewed");
  const master = await start("n1", tlsOf(files));
  await untilReady(master);
  replaceCertificate(issue("over", -1), files);
  await untilLogged(master, /"level":"error".*TLS_CERT_FILE is out of date: .*renew it/);
  const node = await start("n2", tlsOf(issue("n2")));
  const words = /no connection to .*: its certificate is out of date: renew TLS_CERT_FILE there/;
  await untilReason(node, words);
  await untilLogged(node, /not ready: no master: no connection to .*its certificate is out of date/);
  const call = await fetch(`${node.url}/JobService/AddJob`, {
    method: "POST",
    headers: { "content-type": "application/json", "connect-timeout-ms": "2000" },
    body: '{"handler":"echo"}',
  });
  expect(await call.text()).toMatch(words);
  // Also after it has been tried again.
  const triedAgainAt = performance.now() + 6_000;
  await until("it has been tried again", async () => {
    expect(await reasonOf(node)).toMatch(words);
    return performance.now() > triedAgainAt;
  });
  expect(linesOf(node, /"level":"error".*"msg":"no connection to/)).toHaveLength(1);
  replaceCertificate(kept, files);
  await untilReady(node);
  await untilLogged(node, /ready again, after/);
  await untilLogged(node, /connections to that node are made again/);
  await untilLogged(master, /TLS_CERT_FILE is in order again/);
});

test("a master that cannot reach a node for its certificate names that, and tells when it can", {
  timeout: 60_000,
}, async () => {
  const master = await start("n1", tlsOf(issue("n1")));
  await untilReady(master);
  const files = issue("n2-over", -1);
  const node = await start("n2", tlsOf(files));
  await untilReady(node);
  await untilLogged(master, /its certificate is out of date: .*"msg":"node is not reached at its address"/);
  expect(linesOf(master, /ADVERTISE_ADDRESS/)).toEqual([]);
  expect(linesOf(node, /TLS_CERT_FILE is out of date/)).toHaveLength(1);
  replaceCertificate(issue("n2"), files);
  await untilLogged(master, /node is reached at its address again/);
});

test("a node with another CLUSTER_SECRET says that, and who refuses whom", { timeout: 60_000 }, async () => {
  const master = await start("n1", { CLUSTER_SECRET: "the-secret-of-all-nodes" });
  await untilReady(master);
  const node = await start("n2", { CLUSTER_SECRET: "another-secret-of-nodes" });
  const words = new RegExp(
    `${master.address} does not prove that it is a node of this cluster: .*CLUSTER_SECRET`,
  );
  await untilReason(node, words);
  await untilLogged(node, /not ready: no master: .*does not prove/);
  expect(linesOf(node, /has refused this node|does not name the master/)).toEqual([]);
});

test("a lock that a stranger holds is told by all nodes, with what to do, until it is free", {
  timeout: 60_000,
}, async () => {
  const nodes = [await start("n1"), await start("n2")];
  for (const node of nodes) await untilReady(node);
  await redis.command("SET", "cluster", "somebody");
  const words =
    /^no master: the lock in Redis \(the key cluster\) is held by "somebody", which is no node of this cluster, for \d+ s; .*DEL cluster/;
  for (const node of nodes) await untilReason(node, words);
  await redis.command("DEL", "cluster");
  for (const node of nodes) {
    await untilReady(node);
    await untilLogged(node, /no stranger's any more/);
    expect(linesOf(node, /"level":"error".*"msg":"the lock in Redis .* is held by/)).toHaveLength(1);
  }
});

test("Redis that refuses by its ACL, or the password, is told in its words, until it does not", {
  timeout: 90_000,
}, async () => {
  const user = (...more: string[]) => letNodeIn(redis, ...more);
  const said = (node: NodeProcess) => linesOf(node, /answer again/);
  await user("-eval");
  const node = await start("n1", { REDIS_URL: `redis://node:secret@127.0.0.1:${redis.port}` });
  await untilReason(
    node,
    /^no master: Redis has refused this node for .* s: NOPERM .*eval.*: give its account/,
  );
  await untilLogged(node, /the lock \(REDIS_URL\) refuses this node/);
  await untilLogged(node, /not ready: no master: Redis has refused/);
  expect(said(node)).toEqual([]);
  await user();
  await untilReady(node);
  await untilLogged(node, /answer again/);
  expect(said(node)).toHaveLength(1);
  const other = await start("n2", { REDIS_URL: `redis://node:wrong@127.0.0.1:${redis.port}` });
  await untilReason(other, /^no master: Redis has refused this node for .* s: WRONGPASS .*REDIS_PASSWORD/);
  expect(linesOf(other, /wrong@|:wrong/)).toEqual([]);
});
