/** What somebody who may add jobs could have a node call, or be told, by the handlers `http` and `shell`. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { JsonValue } from "../../src/jobs/define-jobs.ts";
import { until } from "../fixtures/until.ts";
import { mysqlUrl, redisUrl } from "../servers/shared.ts";
import type { Attack } from "./attack.ts";
import { type AttackedCluster, SECRET_OF_JOBS } from "./attacked-cluster.ts";

/** Why a call failed for good; throws when it did not. */
async function failure(cluster: AttackedCluster, payload: JsonValue): Promise<string> {
  const { results } = await runJob(cluster, "http", payload);
  const error = results[0]?.error?.message ?? "";
  if (results[0]?.outcome !== "OUTCOME_FAILED") throw new Error(`it ended ${results[0]?.outcome}: ${error}`);
  return error;
}

async function runJob(cluster: AttackedCluster, handler: string, payload: JsonValue) {
  const client = cluster.client(await cluster.master(), 20_000);
  const { jobId } = await client.addJob({ handler, payload });
  const hasEnded = async () => {
    const { job } = await client.getJobStatus(jobId);
    return job?.status === "JOB_STATUS_SUCCEEDED" || job?.status === "JOB_STATUS_FAILED";
  };
  await until("the job has ended", hasEnded, 20_000);
  return client.getAllResult({ jobId });
}

/** The first address sends all calls on to `location`; the second is another host. Each notes the headers that it was told. */
async function outside(port: number, location: string) {
  const told: { first: IncomingHttpHeaders[]; second: IncomingHttpHeaders[] } = { first: [], second: [] };
  const first = createServer((request, response) => {
    told.first.push(request.headers);
    response.writeHead(307, { location }).end();
  });
  const second = createServer((request, response) => {
    told.second.push(request.headers);
    response.end("taken");
  });
  await new Promise<void>((resolve) => first.listen(port, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => second.listen(port, "127.0.0.2", resolve));
  return {
    told,
    close: () => Promise.all([first, second].map((one) => new Promise((resolve) => one.close(resolve)))),
  };
}

/** By what they are called in a URL: as written, by a name, in other forms of an address, mapped into IPv6. */
const INSIDE = [
  "127.0.0.1",
  "localhost",
  "0x7f000001",
  "2130706433",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "169.254.169.254",
  "[fe80::1]",
  "10.0.0.1",
  "192.168.0.1",
  "[fd00::1]",
  "0.0.0.0",
];

export const JOB_ATTACKS: readonly Attack[] = [
  {
    name: "have a job call what is inside: loopback, metadata, private networks",
    async run(cluster) {
      const errors = await Promise.all(INSIDE.map((host) => failure(cluster, { url: `http://${host}/` })));
      const wrong = errors.find((error) => !error.includes("and not allowed"));
      if (wrong !== undefined) throw new Error(wrong);
      return `${errors.length} hosts, each not allowed`;
    },
  },
  {
    name: "have a job call the node's own API, or the database",
    async run(cluster) {
      const { port } = new URL((await cluster.master()).url);
      const { port: database } = new URL(mysqlUrl());
      for (const inside of [port, database]) {
        const error = await failure(cluster, { url: `http://localhost:${inside}/JobService/GetAllJobs` });
        if (!error.includes("and not allowed")) throw new Error(error);
      }
      return "neither is allowed by a name";
    },
  },
  {
    name: "lead a job's call inside by a redirect",
    async run(cluster) {
      const server = await outside(cluster.outsidePort, "http://169.254.169.254/latest/meta-data/");
      try {
        const error = await failure(cluster, { url: `http://127.0.0.1:${cluster.outsidePort}/` });
        if (server.told.first.length !== 1) throw new Error(`it was not called: ${error}`);
        if (!error.includes("169.254.169.254 is")) throw new Error(error);
        return "judged again at the redirect";
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "have a job's credentials carried to another host by a redirect",
    async run(cluster) {
      const port = cluster.outsidePort;
      const server = await outside(port, `http://127.0.0.2:${port}/`);
      const credentials = {
        authorization: "Bearer of-the-first",
        "x-api-key": "of-the-first",
        "proxy-authorization": "Basic of-the-first",
        cookie: "of=the-first",
        "x-own": "of-the-first",
      };
      try {
        await runJob(cluster, "http", {
          url: `http://127.0.0.1:${port}/`,
          headers: credentials,
          secretHeaders: ["x-own"],
        });
        const [first = {}] = server.told.first;
        const [second] = server.told.second;
        if (second === undefined) throw new Error("the redirect was not followed");
        const told = Object.keys(credentials).filter((name) => name in second);
        if (told.length > 0) throw new Error(`it was told ${told.join(", ")}`);
        if (!("x-own" in first)) throw new Error("they were not sent at all");
        return "none of five is sent on";
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "have a job send a secret of the node to another host than its own",
    async run(cluster) {
      const server = await outside(cluster.outsidePort, "http://127.0.0.2/");
      try {
        const headers = { "x-key": { $secret: "stripe" } };
        const error = await failure(cluster, { url: `http://127.0.0.1:${cluster.outsidePort}/`, headers });
        if (server.told.first.length > 0) throw new Error("it was sent");
        if (!error.includes("the secret stripe is not sent to")) throw new Error(error);
        return "it may be sent to api.stripe.com alone";
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "have a program show the node's secrets in its output",
    async run(cluster) {
      const file = `${cluster.secretsFolder}/stripe`;
      const looking = `cat "/proc/$PPID/environ" ${file}; base64 -w0 ${file}`;
      const told = await runJob(cluster, "shell", { command: looking, shell: true });
      const [rows] = await cluster.database.query("SELECT * FROM jobresult JOIN jobinfo ON id = job_id");
      const shown = JSON.stringify([told, rows]);
      const own = [new URL(mysqlUrl()).password, new URL(redisUrl()).password].filter(
        (one) => one.length >= 8,
      );
      const found = [SECRET_OF_JOBS, btoa(SECRET_OF_JOBS), ...own].filter((value) => shown.includes(value));
      if (found.length > 0) throw new Error(`it showed ${found.join(", ")}`);
      const marks: string[] = shown.match(/\[secret \w+\]/g) ?? [];
      if (!marks.includes("[secret stripe]")) throw new Error(`it read nothing: ${shown}`);
      return `it shows ${[...new Set(marks)].join(", ")}`;
    },
  },
];
