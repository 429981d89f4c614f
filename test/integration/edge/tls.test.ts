/** The edge by TLS: its own port, and its calls to real nodes that have TLS. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { promisify } from "node:util";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, afterEach, describe, expect, onTestFinished, test } from "vitest";
import type { TlsSettings } from "../../../src/config/tls-files.ts";
import type { Logger } from "../../../src/core/logger.ts";
import { type RunningEdge, startEdge } from "../../../src/edge/node.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import type { Tls } from "../../../src/tls/certificates.ts";
import {
  certificateFolder,
  LOCAL,
  replaceCertificate,
  type TestCertificate,
  tlsOf,
} from "../../fixtures/certificates.ts";
import { startNode, stopNodes } from "../../fixtures/rpc-node/start-node.ts";
import { until } from "../../fixtures/until.ts";
import { freePort } from "../../servers/free-port.ts";

const run = promisify(execFile);
const folder = certificateFolder();
const authority = folder.authority("authority");
const other = folder.authority("other-authority");
const own = authority.issue("edge", LOCAL);
const elsewhere = authority.issue("nodes.internal", ["DNS:nodes.internal"]);
const stranger = other.issue("stranger", LOCAL);
afterAll(() => folder.remove());

/** Of a program that takes connections and drops them. */
async function silentPort(): Promise<number> {
  const server = net.createServer((socket) => socket.destroy());
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const edges: RunningEdge[] = [];
afterEach(async () => {
  await Promise.all(edges.splice(0).map((edge) => edge.close(0)));
  await stopNodes();
});

const tlsWith = (certificate: TestCertificate | null, ...more: [Partial<TlsSettings>?, Logger?]) =>
  tlsOf(authority, certificate, ...more);

async function start(upstream: string, by: Tls | null, requestMs = 10_000): Promise<RunningEdge> {
  const options = { upstreams: [upstream], allowedOrigins: [], isOpen: true };
  const edge = await startEdge({ ...options, host: "127.0.0.1", port: 0, tls: by, requestMs });
  edges.push(edge);
  return edge;
}

const trusting = () => ({ ca: authority.pem });
const clientOf = (url: string, httpVersion: "1.1" | "2") =>
  createClient(JobService, createConnectTransport({ baseUrl: url, httpVersion, nodeOptions: trusting() }));

describe("an edge with a certificate", () => {
  test.each(["1.1", "2"] as const)("answers calls and streams over HTTP/%s", async (httpVersion) => {
    const edge = await start((await startNode()).url, tlsWith(own));
    expect(edge.url).toMatch(/^https:/);
    for (const transport of [createConnectTransport, createGrpcWebTransport]) {
      const client = createClient(
        JobService,
        transport({ baseUrl: edge.url, httpVersion, nodeOptions: trusting() }),
      );
      const { jobId } = await client.addJob({ handler: "echo" });
      const abort = new AbortController();
      for await (const { job } of client.watchJob({ jobId }, { signal: abort.signal })) {
        expect(job?.jobId).toBe(jobId);
        break;
      }
      abort.abort();
      await expect(client.getJobStatus({ jobId: "99" })).rejects.toThrow("not_found");
    }
  });

  test.each([
    ["--http2", "2"],
    ["--http1.1", "1.1"],
  ])("answers curl %s, its page and its probes", async (option, version) => {
    const edge = await start((await startNode()).url, tlsWith(own));
    const curl = async (...args: string[]) =>
      (await run("curl", ["-sS", "--max-time", "5", "--cacert", authority.file, option, ...args])).stdout;
    const added = await curl(
      "-d",
      '{"handler":"echo"}',
      "-w",
      "\n%{http_version}",
      `${edge.url}/JobService/AddJob`,
    );
    const [json = "", spoken] = added.split("\n");
    expect(JSON.parse(json)).toMatchObject({ jobId: "1" });
    expect(spoken).toBe(version);
    expect(await curl(`${edge.url}/`)).toContain(`https://127.0.0.1`);
    expect(await curl(`${edge.url}/readyz`)).toBe('{"ready":true}');
  });

  test("tells plaintext what to do, and nothing else", async () => {
    const edge = await start((await startNode()).url, tlsWith(own));
    const answer = await fetch(`${edge.url.replace("https", "http")}/healthz`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("speaks TLS only: call it by https://");
  });

  test("answers plaintext as well where TLS_PLAIN says so", async () => {
    const edge = await start((await startNode()).url, tlsWith(own, { tlsPlain: "accept" }));
    expect((await fetch(`${edge.url.replace("https", "http")}/healthz`)).status).toBe(200);
    expect((await clientOf(edge.url, "2").addJob({ handler: "echo" })).jobId).toBe("1");
  });

  test("shows a certificate that was renewed to new connections", async () => {
    const files = authority.issue("first", LOCAL);
    const edge = await start((await startNode()).url, tlsWith(files));
    const shown = async () => {
      const socket = tls.connect({ port: Number(new URL(edge.url).port), host: "localhost", ...trusting() });
      await once(socket, "secureConnect");
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return subject.CN;
    };
    expect(await shown()).toBe("first");
    replaceCertificate(authority.issue("second", LOCAL), files);
    await until("the new one is shown", async () => (await shown()) === "second");
  });

  test("asks callers for a certificate where it is to", async () => {
    const edge = await start((await startNode()).url, tlsWith(own, { tlsClientCaFile: authority.file }));
    const { cert, key } = authority.issue("caller", ["DNS:caller"]);
    const call = (more: object) =>
      createClient(
        JobService,
        createConnectTransport({
          baseUrl: edge.url,
          httpVersion: "2",
          nodeOptions: { ...trusting(), ...more },
        }),
      ).addJob({ handler: "echo" });
    expect((await call({ cert, key })).jobId).toBe("1");
    await expect(call({})).rejects.toBeInstanceOf(ConnectError);
    await expect(call({ cert: stranger.cert, key: stranger.key })).rejects.toBeInstanceOf(ConnectError);
  });

  test("drops who is silent, before its handshake, in it and after it, and closes within its grace", async () => {
    const edge = await start((await startNode()).url, tlsWith(own), 400);
    const port = Number(new URL(edge.url).port);
    for (const protocol of ["h2", "http/1.1"]) {
      const socket = tls.connect({ port, host: "localhost", ...trusting(), ALPNProtocols: [protocol] });
      socket.on("error", () => {});
      socket.resume();
      await once(socket, "close");
    }
    const open = tls.connect({ port, host: "localhost", ...trusting(), ALPNProtocols: ["h2"] });
    open.on("error", () => {});
    await once(open, "secureConnect");
    await edge.close(100);
  });
});

describe("an upstream by https", () => {
  const call = (edge: RunningEdge) =>
    clientOf(edge.url, "1.1").addJob({ handler: "echo" }, { timeoutMs: 3_000 });

  test("is called by an edge that has no certificate of its own, and its streams go on", async () => {
    const node = await startNode({ tls: tlsWith(own) });
    const edge = await start(node.url, tlsWith(null));
    expect(edge.url).toMatch(/^http:/);
    const { jobId } = await call(edge);
    const abort = new AbortController();
    for await (const { job } of clientOf(edge.url, "1.1").watchJob({ jobId }, { signal: abort.signal })) {
      expect(job?.jobId).toBe(jobId);
      break;
    }
    abort.abort();
    expect((await fetch(`${edge.url}/readyz`)).status).toBe(200);
  });

  test("is shown the edge's certificate, and known by TLS_SERVER_NAME", async () => {
    const node = await startNode({ tls: tlsWith(elsewhere, { tlsClientCaFile: authority.file }) });
    const edge = await start(node.url, tlsWith(own, { tlsServerName: "nodes.internal" }));
    expect((await call(edge)).jobId).toBe("1");
  });

  test.each<[string, () => Promise<{ url: string }>, () => Tls | null, RegExp]>([
    [
      "has a certificate of another authority",
      () => startNode({ tls: tlsWith(stranger) }),
      () => tlsWith(null),
      /trusted here: .*TLS_CA_FILE of the edge/,
    ],
    [
      "has one, and the edge no TLS_CA_FILE",
      () => startNode({ tls: tlsWith(own) }),
      () => null,
      /trusted here: .*TLS_CA_FILE of the edge/,
    ],
    [
      "has a certificate for another name",
      () => startNode({ tls: tlsWith(elsewhere) }),
      () => tlsWith(null),
      /another name: .*TLS_SERVER_NAME/,
    ],
    [
      "asks for a certificate",
      () => startNode({ tls: tlsWith(own, { tlsClientCaFile: authority.file }) }),
      () => tlsWith(null),
      /asks for a certificate.*TLS_CERT_FILE of the edge/,
    ],
    [
      "speaks no TLS",
      async () => ({ url: (await startNode()).url.replace("http:", "https:") }),
      () => tlsWith(null),
      /speaks no TLS: UPSTREAM has to be http/,
    ],
  ])("that %s is not called, and callers and probes are told why", async (_, there, by, words) => {
    const edge = await start((await there()).url, by());
    await expect(call(edge)).rejects.toThrow(words);
    const probe = await fetch(`${edge.url}/readyz`);
    expect(probe.status).toBe(503);
    expect(await probe.text()).toMatch(words);
  });

  test.each<[string, () => Promise<number>, RegExp]>([
    ["at which nobody listens", freePort, /: nobody listens there"/],
    ["that ends connections before it says a word", silentPort, /: the connection broke"/],
  ])("%s is no matter of certificates", async (_, port, words) => {
    const edge = await start(`https://127.0.0.1:${await port()}`, tlsWith(null));
    expect(await (await fetch(`${edge.url}/readyz`)).text()).toMatch(words);
    await expect(call(edge)).rejects.toThrow(new RegExp(words.source.replace('"', "$")));
  });

  test("that speaks TLS only is named to who calls it by http", async () => {
    const node = await startNode({ tls: tlsWith(own) });
    const edge = await start(node.url.replace("https:", "http:"), null);
    await expect(call(edge)).rejects.toThrow(/speaks TLS only: .*UPSTREAM=https:/);
  });
});
