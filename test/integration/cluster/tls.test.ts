/** A cluster of real processes that changes from plaintext to TLS, and nodes that do not fit in. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import { createHttp2Transport } from "../../../src/client/http2.ts";
import { type NodeProcess, startNodeProcess } from "../../cluster/node-process.ts";
import { certificateFolder } from "../../fixtures/certificates.ts";
import { until } from "../../fixtures/until.ts";
import { freshDatabase, freshPrefix, redisUrl } from "../../servers/shared.ts";

const NAME = "nodes.internal";
const folder = certificateFolder();
const authority = folder.authority("authority");
const { certFile, keyFile, cert, key } = authority.issue("node", [`DNS:${NAME}`]);
const TLS = {
  TLS_CERT_FILE: certFile,
  TLS_KEY_FILE: keyFile,
  TLS_CA_FILE: authority.file,
  TLS_SERVER_NAME: NAME,
};

let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(async () => {
  await database.drop();
  folder.remove();
});

const running: NodeProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.kill()));
});

const prefix = freshPrefix();
async function start(name: string, settings: Readonly<Record<string, string>>): Promise<NodeProcess> {
  const env = {
    MYSQL_URL: database.url,
    REDIS_URL: redisUrl(),
    CLUSTER_PREFIX: prefix,
    NODE_ID: name,
    SLOTS: "4",
  };
  const node = await startNodeProcess({ ...env, OPEN_API: "on", DRAIN_GRACE_MS: "2000", ...settings });
  running.push(node);
  return node;
}

const overTls = ({ address }: NodeProcess) =>
  createClient({
    transport: createHttp2Transport(`https://${address}`, {
      tls: { ca: authority.pem, cert, key, serverName: NAME },
    }),
    timeoutMs: 20_000,
  });
const inTheClear = ({ url }: NodeProcess) => createClient({ baseUrl: url, timeoutMs: 20_000 });
type Client = ReturnType<typeof createClient>;

/** Through each of them, so that one is forwarded: jobs are added, and end. */
async function runJobs(clients: readonly Client[], nodes: number): Promise<void> {
  const [first] = clients;
  await until(
    "all nodes have joined",
    async () => {
      const cluster = await first?.getCluster().catch(() => null);
      return (cluster?.nodes ?? []).length >= nodes;
    },
    30_000,
  );
  const added = await Promise.all(clients.map(async (client) => client.addJob({ handler: "echo" })));
  for (const { jobId } of added) {
    await until(
      `job ${jobId} has succeeded`,
      async () => (await first?.getJobStatus(jobId))?.job.status === "JOB_STATUS_SUCCEEDED",
      20_000,
    );
  }
}

test("a cluster changes to TLS by rolling restarts, and adds are taken and done at each step", {
  timeout: 120_000,
}, async () => {
  let nodes = [await start("a", {}), await start("b", {})];
  await runJobs(nodes.map(inTheClear), 2);
  for (const TLS_PLAIN of ["dial", "accept", "off"]) {
    for (const [index, name] of ["a", "b"].entries()) {
      await nodes[index]?.stop();
      const next = await start(name, { ...TLS, TLS_PLAIN });
      nodes = nodes.with(index, next);
      // Of the nodes of this step and of the one before.
      const clientOf = TLS_PLAIN === "off" ? overTls : inTheClear;
      await runJobs(
        [
          clientOf(next),
          TLS_PLAIN === "dial" ? inTheClear(nodes[1 - index] ?? next) : overTls(nodes[1 - index] ?? next),
        ],
        2,
      );
    }
  }
  await runJobs(nodes.map(overTls), 2);
});

test("nodes that do not fit in say in their log what to set", { timeout: 60_000 }, async () => {
  const master = await start("a", { ...TLS, TLS_CLIENT_CA_FILE: authority.file });
  await runJobs([overTls(master)], 1);
  const other = folder.authority("other-authority").issue("node", [`DNS:${NAME}`]);
  const wrong = { ...TLS, TLS_CERT_FILE: other.certFile, TLS_KEY_FILE: other.keyFile };
  const cases: [string, Readonly<Record<string, string>>, RegExp][] = [
    ["plain", {}, /it speaks TLS only, and this node does not: .*set TLS_CERT_FILE and TLS_KEY_FILE here/],
    [
      "unnamed",
      { ...TLS, TLS_SERVER_NAME: "" },
      /its certificate is for another name: .*set TLS_SERVER_NAME here/,
    ],
    [
      "stranger",
      wrong,
      /it does not take the certificate that it was shown: sign TLS_CERT_FILE of this node/,
    ],
  ];
  for (const [name, settings, words] of cases) {
    const node = await start(name, settings);
    await until(`${name} says so`, () => node.log.some((line) => words.test(line)), 15_000);
    expect(node.log.filter((line) => words.test(line))).toHaveLength(1);
    await node.kill();
  }
  await runJobs([overTls(master)], 1);
});
