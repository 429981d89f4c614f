/** Processes with TLS in their settings, and commands that call them. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test, vi } from "vitest";
import { createHttp2Transport } from "../../../src/client/http2.ts";
import { createClient } from "../../../src/client/lazy-client.ts";
import { certificateFolder, LOCAL } from "../../fixtures/certificates.ts";
import { processFolder } from "../../fixtures/process-folder.ts";
import { until } from "../../fixtures/until.ts";

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, "../../../src/cli/start.mjs");
const folder = processFolder("tls", "export default {};");
const certificates = certificateFolder();
const authority = certificates.authority("authority");
const other = certificates.authority("other-authority");
const own = authority.issue("node", LOCAL);
const named = authority.issue("jobs.internal", ["DNS:jobs.internal"]);
const caller = authority.issue("caller", ["DNS:caller"]);
afterAll(() => certificates.remove());
// Each starts processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const TLS = { TLS_CERT_FILE: own.certFile, TLS_KEY_FILE: own.keyFile, TLS_CA_FILE: authority.file };

function launch(command: string, more: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN, command], {
    env: {
      PATH: process.env["PATH"],
      DATA_DIR: folder.path,
      HOST: "127.0.0.1",
      PORT: "0",
      EDGE_PORT: "0",
      SLOTS: "2",
      ...more,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  folder.child = child;
  const printed = { text: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      printed.text += part.toString();
    });
  }
  return { child, printed };
}

/** Where it says that it is, without the scheme. */
async function serve(command: string, more: Record<string, string> = TLS): Promise<string> {
  const { printed } = launch(command, more);
  await until(`${command} is up`, () => / is at \S+/.test(printed.text), 30_000);
  return / is at (?:https?:\/\/)?([0-9.:]+)/.exec(printed.text)?.[1] ?? "";
}

async function elasticJob(url: string, ...args: string[]): Promise<string> {
  const env = { PATH: process.env["PATH"], ELASTIC_JOB_URL: url };
  try {
    return (await run(process.execPath, [MAIN, ...args], { env })).stdout;
  } catch (error) {
    return String((error as { stderr: string }).stderr);
  }
}

describe("a command", () => {
  const add = ["add", "echo", "--wait"];
  const ca = ["--tls-ca", authority.file];

  test("calls a node by TLS with --tls-ca, and without it says what is missing", async () => {
    const address = await serve("node");
    expect(await elasticJob(`https://${address}`, ...add, ...ca)).toContain("SUCCEEDED");
    expect(await elasticJob(`https://${address}`, "list")).toMatch(
      /trusted here; name the authority .* --tls-ca/,
    );
    expect(await elasticJob(`https://${address}`, "list", "--tls-ca", other.file)).toMatch(/by --tls-ca/);
    expect(await elasticJob(`http://${address}`, "list")).toMatch(/speaks TLS only: call it by https/);
    expect(await elasticJob(`http://${address}`, "list", ...ca)).toMatch(/--url: is no https:/);
  });

  test("shows --tls-cert, and takes a certificate for --tls-server-name", async () => {
    const settings = {
      TLS_CERT_FILE: named.certFile,
      TLS_KEY_FILE: named.keyFile,
      TLS_CLIENT_CA_FILE: authority.file,
    };
    const url = `https://${await serve("node", settings)}`;
    const name = ["--tls-server-name", "jobs.internal"];
    const shown = ["--tls-cert", caller.certFile, "--tls-key", caller.keyFile];
    expect(await elasticJob(url, ...add, ...ca, ...name, ...shown)).toContain("SUCCEEDED");
    expect(await elasticJob(url, "list", ...ca, ...shown)).toMatch(/another name; .*--tls-server-name/);
    expect(await elasticJob(url, "list", ...ca, ...name)).toMatch(/asks? for a certificate.*--tls-cert/);
  });

  test.each([
    [["--tls-cert", caller.certFile], /--tls-cert: --tls-cert and --tls-key go together/],
    [["--tls-ca", "/none.pem"], /--tls-ca: ENOENT/],
    [["--tls-cert", caller.certFile, "--tls-key", own.keyFile], /--tls-cert: the key does not belong/],
  ])("names files that cannot be used: %s", async (args, words) => {
    expect(await elasticJob("https://127.0.0.1:1", "list", ...args)).toMatch(words);
  });

  test("that finds no TLS there says so", async () => {
    const address = await serve("node", {});
    expect(await elasticJob(`https://${address}`, "list", ...ca)).toMatch(/speaks no TLS; use http:/);
  });
});

test("the client's HTTP/2 transport takes certificates, and streams its adds", async () => {
  const address = await serve("node", { ...TLS, TLS_CLIENT_CA_FILE: authority.file });
  const tls = { ca: authority.pem, cert: caller.cert, key: caller.key, serverName: "localhost" };
  const client = createClient({ transport: createHttp2Transport(`https://${address}`, { tls }) });
  const added = await Promise.all(Array.from({ length: 100 }, () => client.addJob({ handler: "echo" })));
  expect(new Set(added.map(({ jobId }) => jobId)).size).toBe(100);
});

test.each([
  ["for this machine", own],
  ["for another name", named],
])(
  "dev serves edge and node by TLS where it is set, with a certificate %s",
  async (_, { certFile, keyFile }) => {
    const url = `https://${await serve("dev", { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, TLS_CA_FILE: authority.file })}`;
    const name = certFile === named.certFile ? ["--tls-server-name", "jobs.internal"] : [];
    expect(await elasticJob(url, "add", "echo", "--wait", "--tls-ca", authority.file, ...name)).toContain(
      "SUCCEEDED",
    );
  },
);

test.each([
  [
    "node",
    { ...TLS, TLS_KEY_FILE: caller.keyFile },
    /error: TLS_KEY_FILE: .* the key does not belong to the certificate/,
  ],
  [
    "node",
    { ...TLS, TLS_CERT_FILE: "/none.pem" },
    /error: TLS_CERT_FILE: \/none.pem cannot be read \(ENOENT\)/,
  ],
  ["edge", { ...TLS, TLS_CA_FILE: own.keyFile }, /error: TLS_CA_FILE: .* it has no certificate in PEM/],
])("%s does not start with files that cannot be used, which it names", async (command, settings, words) => {
  const { child, printed } = launch(command, settings);
  const [code] = await once(child, "exit");
  expect(code).toBe(2);
  expect(printed.text).toMatch(words);
});
