/** TLS on a node's port, and between nodes: real certificates, made by openssl, and real connections. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import { promisify } from "node:util";
import { ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { TlsSettings } from "../../../src/config/tls-files.ts";
import type { Logger } from "../../../src/core/logger.ts";
import { Links } from "../../../src/core/readiness/links.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import type { RoleNow } from "../../../src/master/election/role.ts";
import { createNetwork } from "../../../src/rpc/forwarding/network.ts";
import { DEFAULT_LIMITS } from "../../../src/rpc/limits.ts";
import type { Tls } from "../../../src/tls/certificates.ts";
import {
  certificateFolder,
  LOCAL,
  replaceCertificate,
  type TestAuthority,
  type TestCertificate,
  tlsOf,
} from "../../fixtures/certificates.ts";
import { realClock } from "../../fixtures/real-time.ts";
import { recordingLogger } from "../../fixtures/recording-logger.ts";
import { asker, closePeers, peerOf } from "../../fixtures/rpc-node/secrets.ts";
import { startNode, stopNodes, type TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { until } from "../../fixtures/until.ts";

const run = promisify(execFile);
const folder = certificateFolder();
let authority: TestAuthority;
let other: TestAuthority;
let own: TestCertificate;
let elsewhere: TestCertificate;
let expired: TestCertificate;
let stranger: TestCertificate;

beforeAll(() => {
  authority = folder.authority("authority");
  other = folder.authority("other-authority");
  own = authority.issue("node", LOCAL);
  elsewhere = authority.issue("nodes.internal", ["DNS:nodes.internal"]);
  expired = authority.issue("expired", LOCAL, -1);
  stranger = other.issue("stranger", LOCAL);
});
afterAll(() => folder.remove());
afterEach(async () => {
  closePeers();
  await stopNodes();
});

const tlsWith = (certificate: TestCertificate | null, ...more: [Partial<TlsSettings>?, Logger?]) =>
  tlsOf(authority, certificate, ...more);

const start = (more?: Partial<TlsSettings>, certificate = own) =>
  startNode({ tls: tlsWith(certificate, more) });

const trusting = () => ({ ca: authority.pem });

async function curl(...args: string[]): Promise<string> {
  return (await run("curl", ["-sS", "--max-time", "5", ...args])).stdout;
}

describe("a port with a certificate", () => {
  const transports = [
    ["gRPC", (url: string) => createGrpcTransport({ baseUrl: url, nodeOptions: trusting() })],
    [
      "gRPC-Web over HTTP/1.1",
      (url: string) => createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1", nodeOptions: trusting() }),
    ],
    [
      "gRPC-Web over HTTP/2",
      (url: string) => createGrpcWebTransport({ baseUrl: url, httpVersion: "2", nodeOptions: trusting() }),
    ],
    [
      "Connect over HTTP/1.1",
      (url: string) => createConnectTransport({ baseUrl: url, httpVersion: "1.1", nodeOptions: trusting() }),
    ],
    [
      "Connect over HTTP/2",
      (url: string) => createConnectTransport({ baseUrl: url, httpVersion: "2", nodeOptions: trusting() }),
    ],
  ] as const;
  test.each(transports)("answers calls and streams in %s", async (_, transport) => {
    const node = await start();
    const client = createClient(JobService, transport(node.url));
    const { jobId } = await client.addJob({ handler: "echo" });
    expect(jobId).toBe("1");
    const abort = new AbortController();
    for await (const { job } of client.watchJob({ jobId }, { signal: abort.signal })) {
      expect(job?.jobId).toBe(jobId);
      break;
    }
    abort.abort();
  });

  test.each([
    ["--http2", "2"],
    ["--http1.1", "1.1"],
  ])("answers JSON and probes by curl %s", async (option, version) => {
    const node = await start();
    const url = `https://localhost:${node.port}`;
    const trusts = ["--cacert", authority.file, option];
    const data = ["-H", "content-type: application/json", "-d", '{"handler":"echo"}'];
    const answer = await curl(
      ...trusts,
      ...data,
      "-w",
      "\n%{http_version}",
      `${url}/elasticjob.v1.JobService/AddJob`,
    );
    const [json = "", spoken] = answer.split("\n");
    expect(JSON.parse(json)).toMatchObject({ jobId: "1" });
    expect(spoken).toBe(version);
    expect(await curl(...trusts, "-o", "/dev/null", "-w", "%{http_code}", `${url}/readyz`)).toBe("200");
  });

  test("tells plaintext over HTTP/1.1 what to do, and nothing else", async () => {
    const node = await start();
    const url = `http://127.0.0.1:${node.port}`;
    for (const path of ["/healthz", "/elasticjob.v1.JobService/AddJob"]) {
      const answer = await fetch(`${url}${path}`, { method: "POST", body: '{"handler":"echo"}' });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toEqual({
        code: "invalid_argument",
        message: expect.stringContaining("speaks TLS only: call it by https://"),
      });
    }
    expect(node.api.jobs.size).toBe(0);
  });

  test("ends plaintext over HTTP/2 as one without enough security", async () => {
    const node = await start();
    const session = http2.connect(`http://127.0.0.1:${node.port}`);
    session.on("error", () => {});
    const [code, , why] = await once(session, "goaway");
    expect(code).toBe(http2.constants.NGHTTP2_INADEQUATE_SECURITY);
    expect(String(why)).toContain("speaks TLS only");
    session.destroy();
  });

  test("drops who begins a handshake and says no more", async () => {
    const node = await startNode({ tls: tlsWith(own), limits: { sniffMs: 300 } });
    const socket = net.connect(node.port, "127.0.0.1", () => socket.write(Buffer.from([0x16, 3, 1])));
    socket.resume();
    await once(socket, "close");
  });

  test("drops who is silent after the handshake", async () => {
    const node = await startNode({ tls: tlsWith(own), limits: { sniffMs: 300 } });
    for (const protocol of ["h2", "http/1.1"]) {
      const socket = tls.connect({
        port: node.port,
        host: "localhost",
        ...trusting(),
        ALPNProtocols: [protocol],
      });
      socket.on("error", () => {});
      socket.resume();
      await once(socket, "close");
    }
  });

  test("closes within its grace, whatever the other sides do", async () => {
    const node = await start();
    const sockets = ["h2", "http/1.1"].map((protocol) =>
      tls.connect({ port: node.port, host: "localhost", ...trusting(), ALPNProtocols: [protocol] }),
    );
    for (const socket of sockets) socket.on("error", () => {});
    await Promise.all(sockets.map((socket) => once(socket, "secureConnect")));
    await node.server.close(100);
  });
});

describe("a certificate that is renewed", () => {
  async function shownBy(node: TestNode): Promise<string> {
    const socket = tls.connect({ port: node.port, host: "localhost", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  }

  test("is shown to new connections, while those that are there stay", async () => {
    const logger = recordingLogger();
    const files = authority.issue("first", LOCAL);
    const node = await startNode({ tls: tlsWith(files, {}, logger) });
    const client = createClient(
      JobService,
      createConnectTransport({ baseUrl: node.url, httpVersion: "2", nodeOptions: trusting() }),
    );
    await client.addJob({ handler: "echo" });
    expect(await shownBy(node)).toBe("first");
    replaceCertificate(authority.issue("second", LOCAL), files);
    await until("the new one is shown", async () => (await shownBy(node)) === "second");
    expect((await client.addJob({ handler: "echo" })).jobId).toBe("2");
    expect(logger.lines.filter(({ message }) => message.includes("certificates have changed"))).toHaveLength(
      1,
    );
  });

  test("that does not fit its key, or is broken, leaves the one before, and is told once", async () => {
    const logger = recordingLogger();
    const files = authority.issue("first-again", LOCAL);
    const node = await startNode({ tls: tlsWith(files, {}, logger) });
    replaceCertificate({ ...files, certFile: own.certFile }, files);
    await until("it is refused", async () => {
      expect(await shownBy(node)).toBe("first-again");
      return logger.errors.length > 0;
    });
    expect(logger.errors[0]?.fields["why"]).toMatch(
      /TLS_KEY_FILE: .*the key does not belong to the certificate/,
    );
    replaceCertificate({ ...files, certFile: other.file, keyFile: own.keyFile }, files);
    await until("it is looked at again", async () => (await shownBy(node)) === "first-again");
    replaceCertificate(own, files);
    await until("a good one is shown", async () => (await shownBy(node)) === "node");
    expect(logger.errors).toHaveLength(1);
  });
});

describe("client certificates", () => {
  const asking = () => start({ tlsClientCaFile: authority.file });
  const call = (node: TestNode, more: tls.ConnectionOptions) => {
    const nodeOptions = { ...trusting(), ...more };
    const transport = createConnectTransport({ baseUrl: node.url, httpVersion: "1.1", nodeOptions });
    return createClient(JobService, transport).addJob({ handler: "echo" });
  };

  test("let in who has one that the authority has signed", async () => {
    const { cert, key } = authority.issue("caller", ["DNS:caller"]);
    expect((await call(await asking(), { cert, key })).jobId).toBe("1");
  });

  test("keep out who has none, another authority's, or one that is over", async () => {
    const node = await asking();
    for (const wrong of [{}, stranger, expired]) {
      const { cert, key } = { cert: "", key: "", ...wrong };
      await expect(call(node, cert === "" ? {} : { cert, key })).rejects.toBeInstanceOf(ConnectError);
    }
    expect(node.api.jobs.size).toBe(0);
  });
});

describe("between nodes", () => {
  /** What a call to this node by another one's TLS ends with. */
  async function outcome(node: TestNode, from: Tls | null): Promise<string> {
    try {
      const { incarnation } = await peerOf(node.address, asker(), from).nodes.identify(
        {},
        { timeoutMs: 3_000 },
      );
      return incarnation === node.asMaster.incarnation ? "proved" : "somebody else";
    } catch (error) {
      return String(error);
    }
  }

  test("calls go by TLS, and are proved on top of it", async () => {
    expect(await outcome(await start(), tlsWith(own))).toBe("proved");
  });

  test("TLS_SERVER_NAME stands for the host, where addresses change", async () => {
    const node = await start({}, elsewhere);
    expect(await outcome(node, tlsWith(own, { tlsServerName: "nodes.internal" }))).toBe("proved");
  });

  test("a node shows its certificate where callers need one", async () => {
    const node = await start({ tlsClientCaFile: authority.file });
    expect(await outcome(node, tlsWith(own))).toBe("proved");
  });

  test.each<[string, () => Promise<TestNode>, () => Tls | null, RegExp]>([
    [
      "a certificate for another name",
      () => start({}, elsewhere),
      () => tlsWith(own),
      /for another name: .*TLS_SERVER_NAME/,
    ],
    [
      "a certificate of another authority",
      () => start({}, stranger),
      () => tlsWith(own),
      /no authority that is trusted here: .*TLS_CA_FILE/,
    ],
    [
      "a certificate that is over",
      () => start({}, expired),
      () => tlsWith(own),
      /out of date: renew TLS_CERT_FILE there/,
    ],
    [
      "a node without TLS",
      () => startNode(),
      () => tlsWith(own),
      /it speaks no TLS: .*TLS_CERT_FILE and TLS_KEY_FILE there/,
    ],
    [
      "a node with TLS, called without",
      () => start(),
      () => null,
      /it speaks TLS only, .*TLS_CERT_FILE and TLS_KEY_FILE here/,
    ],
    [
      "a node that wants a certificate of another authority",
      () => start({ tlsClientCaFile: other.file }),
      () => tlsWith(own),
      /does not take the certificate .*TLS_CLIENT_CA_FILE there/,
    ],
    [
      "a node that wants a certificate, of one that has none",
      () => start({ tlsClientCaFile: authority.file }),
      () => tlsWith(null),
      /asks for a certificate, .*set TLS_CERT_FILE here/,
    ],
  ])("%s is refused, in words that say what to do", async (_, there, from, words) => {
    expect(await outcome(await there(), from())).toMatch(words);
  });

  test("the stream to such a master ends as one to a stranger, whom the log names", async () => {
    const node = await startNode();
    const network = createNetwork({
      clock: realClock,
      limits: DEFAULT_LIMITS,
      asking: asker(),
      tls: tlsWith(own),
    });
    const closed: [string, boolean | undefined][] = [];
    const stream = network.openStream(node.address, {
      message: () => {},
      closed: (reason, isStranger) => void closed.push([reason, isStranger]),
    });
    onTestFinished(() => stream.close());
    await until("it has ended", () => closed.length > 0);
    expect(closed).toEqual([[expect.stringContaining("it speaks no TLS"), true]]);
  });

  test("a node that cannot forward calls for the master's certificate finds that by itself, and its callers hear why", async () => {
    const logger = recordingLogger();
    const links = new Links(logger);
    const files = authority.issue("master-over", LOCAL, -1);
    const master = await startNode({ tls: tlsWith(files) });
    const role: RoleNow = { kind: "follower", master: master.asMaster };
    const node = await startNode({ tls: tlsWith(own), role, links });
    const words = /^no connection to .*: its certificate is out of date: renew TLS_CERT_FILE there/;
    await until("it finds that", () => words.test(links.problemAt(master.address) ?? ""));
    const transport = createConnectTransport({
      baseUrl: node.url,
      httpVersion: "2",
      nodeOptions: trusting(),
    });
    const call = createClient(JobService, transport).addJob({ handler: "echo" }, { timeoutMs: 700 });
    await expect(call).rejects.toThrow(/its certificate is out of date: renew TLS_CERT_FILE there/);
    replaceCertificate(authority.issue("master-renewed", LOCAL), files);
    await until("it can", () => links.problemAt(master.address) === null, 15_000);
    expect(logger.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      expect.stringMatching(/^error no connection to/),
      "info connections to that node are made again",
    ]);
  });

  test("while a cluster changes, plaintext is answered as well, and then spoken no more", async () => {
    const [dials, accepts, strict] = [
      await start({ tlsPlain: "dial" }),
      await start({ tlsPlain: "accept" }),
      await start(),
    ];
    const plain = await startNode();
    expect(await outcome(dials, null)).toBe("proved");
    expect(await outcome(plain, tlsWith(own, { tlsPlain: "dial" }))).toBe("proved");
    expect(await outcome(accepts, tlsWith(own, { tlsPlain: "dial" }))).toBe("proved");
    expect(await outcome(dials, tlsWith(own, { tlsPlain: "accept" }))).toBe("proved");
    expect(await outcome(accepts, tlsWith(own))).toBe("proved");
    expect(await outcome(strict, tlsWith(own, { tlsPlain: "accept" }))).toBe("proved");
    expect(await outcome(strict, tlsWith(own, { tlsPlain: "dial" }))).toMatch(/set TLS_PLAIN=accept here/);
  });
});
