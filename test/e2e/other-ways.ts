/** Other ways to run the same images: user code by FROM, and the edge without a server of its own. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { createClient } from "../../src/client/client.ts";
import { docker, run } from "./docker.ts";
import { type Stack, until } from "./stack.ts";

/** Two lines make an image with one's own handlers; a node of it joins the cluster, with the secrets of the others. */
export async function runHandlersFromImage(
  stack: Stack,
  root: string,
  env: readonly string[],
): Promise<string> {
  const image = "elastic-job-test-handlers";
  const name = `${image}-${process.pid}`;
  const dockerfile = "FROM elastic-job\nENV HANDLERS=/app/examples/handlers.ts\n";
  const built = await run("docker", ["build", "--quiet", "--tag", image, "-f", "-", join(root, "examples")], {
    input: dockerfile,
  });
  assert.equal(built.code, 0, built.stderr);
  const settings = [...env, "LABELS=own=yes", `NODE_ID=${name}`].flatMap((one) => ["-e", one]);
  const secrets = `${stack.named("node-secrets")}:/run/secrets/elastic-job:ro`;
  const made = ["--name", name, "--network", stack.named("stores"), "--read-only", "--volume", secrets];
  await docker("create", ...made, ...settings, image);
  await docker("network", "connect", stack.named("callers"), name);
  await docker("start", name);
  try {
    await until("the node joined", 20_000, async () => {
      const { nodes } = await stack.cluster(2_000);
      return nodes.some(({ nodeId }) => nodeId === name);
    });
    const job = { handler: "greet", payload: { name: "Ada" }, requirements: { labels: { own: "yes" } } };
    const state = await runToEnd(stack, job);
    assert.deepEqual(state.lastResult.output, { hello: "Ada", attempt: 1 });
    assert.equal(state.lastResult.nodeId, name);
    return "greet ran on it";
  } finally {
    await run("docker", ["rm", "--force", name]);
    await run("docker", ["rmi", "--force", image]);
  }
}

interface Ended {
  readonly job: { readonly status: string };
  readonly lastResult: { readonly output: unknown; readonly nodeId: string };
}

export async function runToEnd(stack: Stack, job: object): Promise<Ended> {
  const { jobId } = (await stack.call("AddJob", job)) as { jobId: string };
  let state: Ended | undefined;
  await until(`end of job ${jobId}`, 15_000, async () => {
    state = (await stack.call("GetJobStatus", { jobId })) as Ended;
    return state.job.status === "JOB_STATUS_SUCCEEDED";
  });
  if (state === undefined) throw new Error("no state");
  return state;
}

/** As a serverless platform runs it: it listens by itself, has no file system to write to, and knows UPSTREAM, and that nodes ask for tokens. */
export async function runServerlessEdge(stack: Stack, port: number): Promise<string> {
  const name = `elastic-job-test-serverless-${process.pid}`;
  const args = [
    ...[
      "run",
      "--detach",
      "--name",
      name,
      "--network",
      stack.named("callers"),
      "--read-only",
      "--tmpfs",
      "/tmp",
    ],
    ...[
      "-p",
      `127.0.0.1:${port}:8080`,
      "-e",
      "UPSTREAM=http://node:7070",
      "-e",
      "OPEN_API=on",
      "elastic-job-edge",
    ],
    ...["serve", "--no-prompt", "--cached-only", "--port", "8080", "--allow-net=node:7070"],
    ...[
      "--allow-env=UPSTREAM,ALLOWED_ORIGINS,API_TOKENS,API_TOKENS_FILE,OPEN_API,EDGE_PORT,HOST,TLS_CERT_FILE,TLS_KEY_FILE,TLS_CA_FILE,TLS_CLIENT_CA_FILE,TLS_SERVER_NAME,TLS_PLAIN",
      "src/edge/serverless.ts",
    ],
  ];
  await docker(...args);
  try {
    const url = `http://127.0.0.1:${port}`;
    await until("the edge is ready", 20_000, async () => (await fetch(`${url}/readyz`)).ok);
    await passesStreamsOn(url, stack.token);
    const stopped = await run("docker", ["logs", name]);
    assert.doesNotMatch(stopped.stdout + stopped.stderr, /error|denied/i);
    return "streams, cancellation and tokens pass";
  } finally {
    await run("docker", ["rm", "--force", name]);
  }
}

/** A stream's first message comes before its end; a caller that leaves ends it; the node refuses who has no token. */
export async function passesStreamsOn(url: string, token: string): Promise<void> {
  const client = createClient({ baseUrl: url, token });
  const { jobId } = await client.addJob({ handler: "sleep", payload: { ms: 60_000 } });
  const leaving = new AbortController();
  const states = client.watchJob(jobId, { signal: leaving.signal });
  const first = await states.next();
  assert.equal(first.value?.job.jobId, jobId);
  const next = states.next();
  leaving.abort();
  await assert.rejects(next, (error) => ConnectError.from(error).code === Code.Canceled);
  await client.deleteJob(jobId);
  const stranger = createClient({ baseUrl: url, token: "not-the-right-token" });
  await assert.rejects(
    stranger.getCluster(),
    (error) => ConnectError.from(error).code === Code.Unauthenticated,
  );
}
