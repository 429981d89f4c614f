/** The client's adds on a stream, against real nodes. */
import { execFile } from "node:child_process";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import type { DuplexTransport } from "../../../src/client/elastic-job-client.ts";
import { createHttp2Transport } from "../../../src/client/http2.ts";
import { operators } from "../../../src/core/callers/api-tokens.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { within } from "../../fixtures/real-time.ts";
import { startNode, stopNodes } from "../../fixtures/rpc-node/start-node.ts";
import { refusingPort, startSmallJobServer } from "../../fixtures/small-job-server.ts";
import { until } from "../../fixtures/until.ts";
import { startSwitchedProxy } from "./switched-proxy.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await stopNodes();
});

interface SeenTransport extends DuplexTransport {
  /** The methods of its calls and streams, in order. */
  readonly calls: string[];
  /** One for each stream: resolves when the client has ended its side. */
  readonly ended: Promise<void>[];
  /** Streams are opened when this resolves. */
  gate: Promise<void>;
}

function seen(url: string): SeenTransport {
  const transport = createHttp2Transport(url);
  const self: SeenTransport = {
    isDuplex: true,
    calls: [],
    ended: [],
    gate: Promise.resolve(),
    unary(method, ...rest) {
      self.calls.push(method.name);
      return transport.unary(method, ...rest);
    },
    async stream(method, signal, timeoutMs, header, input, values) {
      self.calls.push(method.name);
      const end = Promise.withResolvers<void>();
      self.ended.push(end.promise);
      signal?.addEventListener("abort", () => end.resolve(), { once: true });
      async function* watched() {
        yield* input;
        end.resolve();
      }
      await self.gate;
      return transport.stream(method, signal, timeoutMs, header, watched(), values);
    },
  };
  return self;
}

const echo = { handler: "echo" };
const connect = (transport: DuplexTransport, options: { timeoutMs?: number; token?: string } = {}) =>
  createClient({ transport, random: () => 0, ...options });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: { code: Code }) => error.code,
  );

describe("adds on a stream", () => {
  test("go on one stream, one after another and at once, each with its answer", async () => {
    const node = await startNode();
    const transport = seen(node.url);
    const client = connect(transport);
    expect(await client.addJob({ ...echo, name: "a" })).toMatchObject({ jobId: "1", created: true });
    const names = Array.from({ length: 200 }, (_, i) => `job ${i}`);
    const added = await Promise.all(names.map((name) => client.addJob({ ...echo, name })));
    expect(added.map(({ jobId }) => node.api.jobs.get(Number(jobId))?.spec.name)).toEqual(names);
    await expect(client.addJob({ handler: "unknown" })).rejects.toMatchObject({
      code: Code.FailedPrecondition,
    });
    expect(transport.calls).toEqual(["StreamAddJobs"]);
  });

  test("carry 10,000 jobs of a kilobyte each in one request", async () => {
    const node = await startNode();
    const transport = seen(node.url);
    const payload = "x".repeat(1_000);
    const outcomes = await connect(transport).addJobs(
      Array.from({ length: 10_000 }, () => ({ ...echo, payload })),
    );
    expect(outcomes.filter((outcome) => "added" in outcome)).toHaveLength(10_000);
    expect(node.api.jobs.size).toBe(10_000);
    expect(transport.calls).toEqual(["StreamAddJobs"]);
  });

  test("say what AddJobs would say of a request that is refused as a whole", async () => {
    const node = await startNode();
    const client = connect(seen(node.url));
    await expect(client.addJobs([])).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringMatching(/^jobs: has 0 jobs/),
    });
    await expect(client.addJob(echo)).resolves.toMatchObject({ jobId: "1" });
  });

  test("do not suffer from a request that is too large for the node", async () => {
    const node = await startNode({ limits: { maxCallBytes: 100_000 } });
    const client = connect(seen(node.url));
    const large = client.addJobs([{ ...echo, payload: "x".repeat(400_000) }]);
    const small = client.addJobs([echo]);
    await expect(large).rejects.toMatchObject({ code: Code.ResourceExhausted });
    await expect(small).resolves.toMatchObject([{ added: { created: expect.any(Boolean) } }]);
    expect(node.api.jobs.size).toBe(1);
  });

  test("of a caller who may not come in are refused, and not tried again", async () => {
    const credentials = { tokens: () => operators(["a-token"]), isOpen: false };
    const node = await startNode({ credentials });
    const transport = seen(node.url);
    const unsendable = connect(transport, { token: "s3cret\nb" });
    for (const _ of [1, 2]) {
      await expect(unsendable.addJob(echo)).rejects.toMatchObject({
        code: Code.InvalidArgument,
        rawMessage: expect.not.stringContaining("s3cret"),
      });
    }
    await expect(connect(transport, { token: "wrong" }).addJob(echo)).rejects.toMatchObject({
      code: Code.Unauthenticated,
      rawMessage: expect.stringContaining("API token"),
    });
    expect(transport.calls).toEqual(["StreamAddJobs"]);
    await expect(connect(transport, { token: "a-token" }).addJob(echo)).resolves.toMatchObject({
      jobId: "1",
    });
  });
});

describe("the end of a stream", () => {
  test("comes when there were no adds for a while; the next add opens another", async () => {
    const node = await startNode();
    const transport = seen(node.url);
    const client = connect(transport);
    for (const jobId of ["1", "2"]) {
      expect(await client.addJob(echo)).toMatchObject({ jobId });
      await within(3_000, "the stream is closed", transport.ended.at(-1) ?? Promise.reject());
    }
    expect(transport.calls).toEqual(["StreamAddJobs", "StreamAddJobs"]);
  });

  test("does not come while an add is under way", async () => {
    const node = await startNode();
    const transport = seen(node.url);
    const client = connect(transport);
    await client.addJob(echo);
    // Longer than the stream may be idle.
    const end = within(400, "no end", transport.ended[0] ?? Promise.reject());
    node.api.beforeAdd = () => expect(end).rejects.toThrow("no end");
    await client.addJob(echo);
    await client.addJob(echo);
    expect(transport.calls).toEqual(["StreamAddJobs"]);
  });

  test("lets a process end that only added", async () => {
    const node = await startNode();
    const module = (path: string) => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);
    const script = `
      const { createClient } = await import(${module("client/client.ts")});
      const { createHttp2Transport } = await import(${module("client/http2.ts")});
      const client = createClient({ transport: createHttp2Transport("${node.url}") });
      await Promise.all(Array.from({ length: 100 }, () => client.addJob({ handler: "echo" })));`;
    const child = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      timeout: 15_000,
    });
    await expect(child).resolves.toMatchObject({ stderr: "" });
    expect(node.api.jobs.size).toBe(100);
  });

  test("is forced when the server does not end its side", async () => {
    const node = await startNode();
    node.api.beforeAdd = () => new Promise(() => {});
    const closed = Promise.withResolvers<void>();
    const transport = seen(node.url);
    const open = transport.stream;
    const watching: DuplexTransport = {
      ...transport,
      async stream(method, signal, ...rest) {
        signal?.addEventListener("abort", () => closed.resolve(), { once: true });
        const response = await open(method, signal, ...rest);
        const { message } = response;
        async function* withoutEnd() {
          yield* message;
          await closed.promise;
        }
        return { ...response, message: withoutEnd() };
      },
    };
    expect(await codeOf(connect(watching, { timeoutMs: 100 }).addJob(echo))).toBe(Code.DeadlineExceeded);
    await within(4_000, "the stream is given up", closed.promise);
  });
});

describe("an add that nobody waits for any more", () => {
  test("is cancelled by its signal, before it is sent and after", async () => {
    const node = await startNode();
    const transport = seen(node.url);
    const client = connect(transport);
    expect(await codeOf(client.addJobs([echo], { signal: AbortSignal.abort() }))).toBe(Code.Canceled);
    expect(node.api.calls).toHaveLength(0);
    const began = Promise.withResolvers<void>();
    node.api.beforeAdd = () => {
      began.resolve();
      return new Promise(() => {});
    };
    const abort = new AbortController();
    const adding = codeOf(client.addJobs([echo], { signal: abort.signal }));
    await began.promise;
    abort.abort();
    expect(await adding).toBe(Code.Canceled);
    expect(transport.calls).not.toContain("AddJobs");
  });

  test("is not sent when the way to the node is free at last", async () => {
    const node = await startNode();
    const transport = seen(node.url);
    const free = Promise.withResolvers<void>();
    transport.gate = free.promise;
    const client = connect(transport);
    const late = client.addJobs([{ ...echo, name: "late" }], { timeoutMs: 50 });
    const patient = client.addJobs([{ ...echo, name: "patient" }]);
    expect(await codeOf(late)).toBe(Code.DeadlineExceeded);
    free.resolve();
    await patient;
    expect([...node.api.jobs.values()].map(({ spec }) => spec.name)).toEqual(["patient"]);
  });
});

describe("a server that goes away", () => {
  test("is waited for: adds are tried again under their keys, and none is added twice", async () => {
    const node = await startNode();
    const proxy = await startSwitchedProxy(node.port);
    closers.push(proxy.close);
    const store = node.api.addJobs;
    let cuts = 2;
    // Stored; then the connection goes before the answer: on the stream, and again at the second try.
    node.api.addJobs = async (...call) => {
      const added = await store(...call);
      if (cuts-- > 0) {
        proxy.cut();
        await new Promise(() => {});
      }
      return added;
    };
    const transport = seen(proxy.url);
    const outcome = await connect(transport).addJobs([echo, echo]);
    expect(outcome).toMatchObject([{ added: { jobId: "1" } }, { added: { jobId: "2" } }]);
    expect(node.api.jobs.size).toBe(2);
    expect(transport.calls).toEqual(["StreamAddJobs", "AddJobs", "AddJobs"]);
    expect(new Set(node.api.calls.map(({ key }) => key)).size).toBe(1);
  });

  test("and another that takes its place get each of many adds once", async () => {
    const node = await startNode();
    const proxy = await startSwitchedProxy(node.port);
    closers.push(proxy.close);
    const store = node.api.addJobs;
    const died = Promise.withResolvers<void>();
    let calls = 0;
    node.api.addJobs = async (...call) => {
      const added = await store(...call);
      if (++calls < 2) return added;
      died.resolve();
      return new Promise(() => {});
    };
    const transport = seen(proxy.url);
    const client = connect(transport);
    const names = Array.from({ length: 1_000 }, (_, i) => `job ${i}`);
    const adding = Promise.all(names.map((name) => client.addJob({ ...echo, name })));
    await died.promise;
    proxy.target = null;
    await node.server.close(0);
    await until("a try meets nobody", () => transport.calls.includes("AddJobs"));
    node.api.addJobs = store;
    const next = await startNode({ api: node.api });
    proxy.target = next.port;
    const added = await within(10_000, "all are answered", adding);
    expect(node.api.jobs.size).toBe(1_000);
    expect(added.map(({ jobId }) => node.api.jobs.get(Number(jobId))?.spec.name)).toEqual(names);
    // The stream is used again.
    await client.addJob(echo);
    expect(transport.calls.at(-1)).toBe("StreamAddJobs");
  });

  test("when it stops as it should, is not held up by an open stream", async () => {
    const node = await startNode();
    const client = connect(seen(node.url));
    await client.addJob(echo);
    await within(3_000, "the node stops", node.server.close(10_000));
  });

  test("is not waited for by those who do not want to", async () => {
    const transport = seen(`http://127.0.0.1:${await refusingPort()}`);
    const client = createClient({ transport, retryUnreachable: false });
    expect(await codeOf(client.addJob(echo))).toBe(Code.Unavailable);
    expect(transport.calls).toEqual(["StreamAddJobs"]);
  });

  test("in the middle of any other call too is waited for", async () => {
    const node = await startNode();
    const proxy = await startSwitchedProxy(node.port);
    closers.push(proxy.close);
    const client = connect(seen(proxy.url));
    await client.addJob(echo);
    const { readJob } = node.api;
    node.api.readJob = () => {
      node.api.readJob = readJob;
      proxy.cut();
      return new Promise(() => {});
    };
    expect(await client.getJobStatus("1")).toMatchObject({ job: { jobId: "1" } });
  });
});

describe("a server that does not know such streams", () => {
  async function serveAddJobs(): Promise<string> {
    const routes = ({ rpc }: ConnectRouter) => {
      rpc(JobService.method.addJobs, ({ jobs }) => ({
        outcomes: jobs.map((_, i) => ({
          outcome: { case: "added", value: { jobId: String(i), created: true } },
        })),
      }));
    };
    const server = createServer(connectNodeAdapter({ routes }));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(async () => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  async function serveAllElse(): Promise<string> {
    const server = await startSmallJobServer(0, "2");
    closers.push(() => server.close());
    return server.url;
  }

  test.each([
    ["and has no such path", serveAddJobs],
    ["and says so on the stream", serveAllElse],
  ])("%s is called instead, at once and from then on", async (_, serve) => {
    const transport = seen(await serve());
    // At once: the deadline leaves no time for a wait before a second try.
    const client = createClient({ transport, timeoutMs: 2_000, random: () => 1e6 });
    await client.addJob(echo);
    expect(transport.calls).toEqual(["StreamAddJobs", "AddJobs"]);
    await client.addJobs([echo, echo]);
    expect(transport.calls).toEqual(["StreamAddJobs", "AddJobs", "AddJobs"]);
  });
});
