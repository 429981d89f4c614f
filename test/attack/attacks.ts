/**
 * What was, or could be, done to a cluster by somebody who reaches its ports or its Redis and knows no secret. Each returns
 * what stopped it, and throws if nothing did. `npm run attack` prints them; the tests run the same ones.
 */
import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { create } from "@bufbuild/protobuf";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { RowDataPacket } from "mysql2/promise";
import { createClient as createRedis } from "redis";
import { JobService } from "../../src/gen/elasticjob/v1/job_service_pb.ts";
import { GetJobRequestSchema, NodeService } from "../../src/gen/elasticjob/v1/node_service_pb.ts";
import type { FaultCluster } from "../faults/fault-cluster.ts";
import { until } from "../fixtures/until.ts";
import { adminRedisUrl } from "../servers/shared.ts";
import type { Attack } from "./attack.ts";
import { JOB_ATTACKS } from "./job-attacks.ts";

interface Reign {
  readonly epoch: number;
  readonly incarnation: string;
  readonly address: string;
}

async function reignOf({ database }: FaultCluster): Promise<Reign> {
  const [[row]] = await database.query<RowDataPacket[]>(
    "SELECT epoch, incarnation, address FROM jobcluster WHERE id = 1",
  );
  if (row === undefined) throw new Error("there is no mastership");
  return { epoch: Number(row["epoch"]), incarnation: row["incarnation"], address: row["address"] };
}

/** Calls of one's own over HTTP/2, on a connection that lasts. */
async function strangerAt(cluster: FaultCluster) {
  const { url } = await cluster.master();
  const transport = createConnectTransport({ baseUrl: url, httpVersion: "2" });
  return { nodes: createClient(NodeService, transport), jobs: createClient(JobService, transport) };
}

/** The words of a refusal; throws when there is none. */
async function refusal(call: Promise<unknown>, expected: string): Promise<string> {
  const error = await call.then(
    () => null,
    (thrown) => ConnectError.from(thrown),
  );
  if (error === null) throw new Error("it was done");
  if (!error.message.startsWith(`[${expected}]`)) throw new Error(`it was refused as ${error.message}`);
  return error.message.slice(0, 120);
}

/** A job of somebody's still runs, under the same master. */
async function expectServing(cluster: FaultCluster): Promise<void> {
  const node = await cluster.master();
  const client = cluster.client(node, 20_000);
  const { jobId } = await client.addJob({ handler: "effect" });
  await until(
    "a job of somebody's has run",
    async () => (await client.getJobStatus(jobId)).job?.status === "JOB_STATUS_SUCCEEDED",
    20_000,
  );
}

/** Listens as if it were a node, and notes what it is asked. */
async function impostor(port = 0) {
  const asked: string[] = [];
  const server = http2.createServer();
  server.on("session", (session) => session.on("error", () => {}));
  server.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
    asked.push(String(headers[":path"]));
    stream.on("error", () => {});
    stream.respond({ ":status": 200, "content-type": "application/proto" });
    stream.end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: own } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${own}`,
    /** What it was told besides "prove yourself". */
    told: () => asked.filter((path) => path !== "/elasticjob.v1.NodeService/Challenge"),
    asked,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** As who can write to Redis: `forge` makes what is announced of what is true. */
async function announce(
  cluster: FaultCluster,
  forge: (reign: Reign, address: string) => Reign,
): Promise<string> {
  const fake = await impostor();
  const redis = await createRedis({ url: adminRedisUrl() }).connect();
  const masterKey = `{${cluster.prefix}cluster}:master`;
  const before = await cluster.mastership();
  try {
    const reign = await reignOf(cluster);
    const forged = { ...forge(reign, fake.address), nodeId: "somebody", cluster: "" };
    const fields = Object.entries(forged).flatMap(([name, value]) => [name, String(value)]);
    const channels = await redis.sendCommand(["PUBSUB", "CHANNELS", `*${cluster.prefix}cluster*`]);
    // Longer than a lock and a lease last, so that whoever would follow it had the time to.
    for (const end = performance.now() + 5_000; performance.now() < end; ) {
      await redis.sendCommand(["HSET", masterKey, ...fields]);
      for (const channel of channels as unknown as string[]) {
        await redis.sendCommand(["PUBLISH", channel, JSON.stringify(forged)]);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await expectServing(cluster);
    if (fake.told().length > 0) throw new Error(`it was told ${fake.told().join(", ")}`);
    const now = await cluster.mastership();
    if (now.epoch !== before.epoch) throw new Error(`the master was deposed: epoch ${now.epoch}`);
    return fake.asked.length === 0 ? "nobody came: the database names another" : "it could not prove itself";
  } finally {
    await redis.close();
    await fake.close();
  }
}

function post(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { method: "POST", headers: { "content-type": "application/json", ...headers } };
    const request = http.request(`${url}/elasticjob.v1.JobService/AddJob`, options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("error", reject);
    request.end('{"handler":"effect"}');
  });
}

async function refusedWith(status: number, url: string, headers: Readonly<Record<string, string>>) {
  const got = await post(url, headers);
  if (got !== status) throw new Error(`it was answered ${got}`);
  return `HTTP ${status}`;
}

const hello = (incarnation: string) =>
  create(GetJobRequestSchema, {
    message: { case: "hello", value: { incarnation, nodeId: "somebody", slots: 80 } },
  });
async function* only<T>(message: T) {
  yield message;
}
const nonce = new Uint8Array(32).fill(7);

export const ATTACKS: readonly Attack[] = [
  {
    name: "register as a node, to be given jobs",
    async run(cluster) {
      const { nodes } = await strangerAt(cluster);
      const stream = nodes.getJob(only(hello("somebody")))[Symbol.asyncIterator]();
      return refusal(stream.next(), "unauthenticated");
    },
  },
  {
    name: "take another node's incarnation, to end its claims",
    async run(cluster) {
      const { nodes } = await strangerAt(cluster);
      const { incarnation } = await cluster.mastership();
      const stream = nodes.getJob(only(hello(incarnation)))[Symbol.asyncIterator]();
      return refusal(stream.next(), "unauthenticated");
    },
  },
  {
    name: "say that a node has passed a call on",
    async run(cluster) {
      const { jobs } = await strangerAt(cluster);
      const headers = { "elastic-job-forwarded": (await cluster.mastership()).incarnation };
      return refusal(jobs.addJob({ handler: "effect" }, { headers }), "unauthenticated");
    },
  },
  {
    name: "make a proof up, or send the node's own one back",
    async run(cluster) {
      const { nodes } = await strangerAt(cluster);
      const { address } = await reignOf(cluster);
      await nodes.challenge({ nonce, incarnation: "somebody", address });
      await refusal(nodes.prove({ proof: new Uint8Array(32) }), "unauthenticated");
      const { proof } = await nodes.challenge({ nonce, incarnation: "somebody", address });
      return refusal(nodes.prove({ proof }), "unauthenticated");
    },
  },
  {
    name: "have a node sign for another address, to be believed there",
    async run(cluster) {
      const { nodes } = await strangerAt(cluster);
      const call = nodes.challenge({ nonce, incarnation: "somebody", address: "10.6.6.6:7070" });
      return refusal(call, "failed_precondition");
    },
  },
  {
    name: "announce an invented epoch in Redis",
    run: (cluster) =>
      announce(cluster, ({ epoch }, address) => ({ epoch: epoch + 5, incarnation: "somebody", address })),
  },
  {
    name: "announce the true master at an own address in Redis",
    run: (cluster) => announce(cluster, (reign, address) => ({ ...reign, address })),
  },
  {
    name: "announce the true master where nobody listens, so that it is taken for dead",
    run: (cluster) => announce(cluster, (reign) => ({ ...reign, address: "127.0.0.1:9" })),
  },
  {
    name: "listen where a dead master did",
    async run(cluster) {
      const victim = await cluster.master();
      const { address } = await reignOf(cluster);
      await victim.kill();
      const fake = await impostor(Number(address.split(":")[1]));
      try {
        await expectServing(cluster);
        if (fake.told().length > 0) throw new Error(`it was told ${fake.told().join(", ")}`);
        return fake.asked.length === 0 ? "nobody came" : "it was asked for a proof, and left";
      } finally {
        await fake.close();
        await cluster.revive();
      }
    },
  },
  {
    name: "take the lock in Redis from the master",
    async run(cluster) {
      const redis = await createRedis({ url: adminRedisUrl() }).connect();
      const fake = await impostor();
      try {
        const lock = `${cluster.prefix}cluster`;
        await redis.sendCommand(["SET", lock, "somebody", "PX", "4000"]);
        await expectServing(cluster);
        if (fake.told().length > 0) throw new Error(`it was told ${fake.told().join(", ")}`);
        return "a delay: jobs run again once the lock has run out";
      } finally {
        await fake.close();
        await redis.close();
      }
    },
  },
  {
    name: "call the API from another machine, without a token",
    async run(cluster) {
      const [outer] = Object.values(networkInterfaces())
        .flat()
        .filter((one) => one?.family === "IPv4" && !one.internal);
      if (outer === undefined) return "not tried: this machine has no other address";
      const { port } = new URL((await cluster.master()).url);
      return refusedWith(401, `http://${outer.address}:${port}`, {});
    },
  },
  {
    name: "reach a node by a name of one's own that leads to 127.0.0.1",
    run: async (cluster) => refusedWith(401, (await cluster.master()).url, { host: "rebound.example" }),
  },
  {
    name: "come through a proxy on its machine",
    run: async (cluster) => refusedWith(401, (await cluster.master()).url, { "x-forwarded-for": "10.0.0.9" }),
  },
  {
    name: "have a browser send a page's call",
    run: async (cluster) =>
      refusedWith(403, (await cluster.master()).url, { origin: "https://evil.example" }),
  },
  {
    name: "have a browser send a page's form, without an Origin",
    run: async (cluster) =>
      // A node takes no forms at all; an edge, which does for the sake of `curl -d`, looks at who sends them.
      refusedWith(415, (await cluster.master()).url, {
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "content-type": "application/x-www-form-urlencoded",
      }),
  },
  ...JOB_ATTACKS,
];
