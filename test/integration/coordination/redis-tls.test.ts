/** Redis by TLS, alone, as Redis Cluster and behind Sentinel: real servers, with certificates made by openssl. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openRedisLock } from "../../../src/coordination/redis.ts";
import { certificateFolder, LOCAL, type TestCertificate } from "../../fixtures/certificates.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";
import { until } from "../../fixtures/until.ts";
import { freePort } from "../../servers/free-port.ts";
import { type OwnRedis, spawnRedis } from "../../servers/own-redis.ts";
import { freshPrefix } from "../../servers/shared.ts";

const folder = certificateFolder();
const authority = folder.authority("authority");
const other = folder.authority("other-authority");
const own = authority.issue("redis", LOCAL);
const caller = authority.issue("caller", ["DNS:caller"]);
const stranger = other.issue("stranger", ["DNS:caller"]);
const CACERT = `cacert=${authority.file}`;
const showing = ({ certFile, keyFile }: TestCertificate) => `cert=${certFile}&key=${keyFile}`;
const started: OwnRedis[] = [];

/** Its `port` is in the clear, for the test itself. */
async function startSecure(
  certificate: TestCertificate,
  more: readonly string[] = [],
  sentinelConfig?: string,
): Promise<OwnRedis & { readonly tlsPort: number }> {
  const tlsPort = await freePort();
  const server = await spawnRedis({
    args: [
      ...["--tls-port", `${tlsPort}`, "--tls-ca-cert-file", authority.file],
      ...["--tls-cert-file", certificate.certFile, "--tls-key-file", certificate.keyFile],
      ...more,
    ],
    ...(sentinelConfig !== undefined && { sentinelConfig }),
  });
  started.push(server);
  return { ...server, tlsPort };
}

const ASKS_NONE = ["--tls-auth-clients", "no"];
let server: Awaited<ReturnType<typeof startSecure>>;
beforeAll(async () => {
  server = await startSecure(own, ASKS_NONE);
}, 30_000);
afterAll(async () => {
  await Promise.all(started.map((one) => one.stop()));
  folder.remove();
});

/** A lock there, which is waited for. */
async function lockAt(url: string): Promise<string | null> {
  const options = { url, prefix: freshPrefix(), ttlMs: 5_000, commandTimeoutMs: 1_000, logger: silentLogger };
  const lock = openRedisLock(options);
  onTestFinished(() => lock.close());
  await until("it answers", () =>
    lock.holder().then(
      () => true,
      () => false,
    ),
  );
  await lock.acquire("a");
  return lock.holder();
}

/** What the first command ends with. */
async function refusalAt(url: string): Promise<string> {
  const options = { url, prefix: freshPrefix(), ttlMs: 5_000, commandTimeoutMs: 1_000, logger: silentLogger };
  const lock = openRedisLock(options);
  onTestFinished(() => lock.close());
  let said = "";
  await until("it says why", async () => {
    said = await lock.holder().then(() => "it was answered", String);
    return /REDIS_URL|out of date|answered/.test(said);
  });
  return said;
}

describe("a server with TLS", () => {
  test.each([
    ["by its address", () => `rediss://127.0.0.1:${server.tlsPort}/0?${CACERT}`],
    ["by its name", () => `rediss://localhost:${server.tlsPort}?${CACERT}`],
  ])("is reached %s", async (_, url) => {
    expect(await lockAt(url())).toBe("a");
  });

  test("is reached by the name in its certificate, whatever its address is", async () => {
    const misnamed = await startSecure(authority.issue("redis.internal", ["DNS:redis.internal"]), ASKS_NONE);
    const url = `rediss://127.0.0.1:${misnamed.tlsPort}?${CACERT}`;
    expect(await lockAt(`${url}&sni=redis.internal`)).toBe("a");
    expect(await refusalAt(url)).toMatch(/for another name: name the one that it has: sni=/);
  });

  test("that asks for a certificate is shown one", async () => {
    const strict = await startSecure(own);
    const url = `rediss://127.0.0.1:${strict.tlsPort}?${CACERT}`;
    expect(await lockAt(`${url}&${showing(caller)}`)).toBe("a");
    expect(await refusalAt(url)).toMatch(/asks for a certificate, .*cert=.*&key=/);
    for (const wrong of [stranger, authority.issue("caller-of-yesterday", ["DNS:caller"], -1)]) {
      expect(await refusalAt(`${url}&${showing(wrong)}`)).toMatch(
        /does not take the certificate that it was shown: .*cert=…&key=… in REDIS_URL/,
      );
    }
  });

  test.each<[string, () => string | Promise<string>, RegExp]>([
    [
      "whose authority is not known",
      () => `rediss://127.0.0.1:${server.tlsPort}`,
      /no authority that is trusted here: .*cacert=/,
    ],
    [
      "of another authority",
      () => `rediss://127.0.0.1:${server.tlsPort}?cacert=${other.file}`,
      /no authority that is trusted here: .*cacert=/,
    ],
    [
      "whose certificate is over",
      async () => {
        const over = await startSecure(authority.issue("over", LOCAL, -1), ASKS_NONE);
        return `rediss://127.0.0.1:${over.tlsPort}?${CACERT}`;
      },
      /out of date: renew it/,
    ],
    [
      "that is called in the clear",
      () => `redis://127.0.0.1:${server.tlsPort}`,
      /if it speaks TLS on this port, use rediss:/,
    ],
    [
      "that has none on this port",
      () => `rediss://127.0.0.1:${server.port}?${CACERT}`,
      /if it speaks no TLS on this port, use its tls-port/,
    ],
  ])("%s is refused, in words that say what to change", async (_, url, words) => {
    expect(await refusalAt(await url())).toMatch(words);
  });

  test.each([
    ["cacert=/none.pem", /REDIS_URL: cacert cannot be used: ENOENT/],
    [`cacert=${own.keyFile}`, /REDIS_URL: cacert cannot be used: it has no certificate/],
    [`cert=${own.certFile}&key=${caller.keyFile}`, /cert and key cannot be used: the key does not belong/],
  ])("and files that cannot be used are named at once: %s", (parameters, words) => {
    const url = `rediss://127.0.0.1:${server.tlsPort}?${parameters}`;
    const options = { url, prefix: "", ttlMs: 5_000, commandTimeoutMs: 1_000, logger: silentLogger };
    expect(() => openRedisLock(options)).toThrow(words);
  });
});

test("Redis Cluster by TLS is reached by what its servers announce", async () => {
  const busPort = await freePort();
  const one = await startSecure(own, [
    ...["--cluster-enabled", "yes", "--cluster-port", `${busPort}`, "--tls-cluster", "yes"],
  ]);
  await one.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await until("the cluster", async () => String(await one.command("CLUSTER", "INFO")).includes("state:ok"));
  const at = `127.0.0.1:${one.tlsPort}`;
  expect(await lockAt(`rediss://${at}?${CACERT}&${showing(caller)},rediss://${at}`)).toBe("a");
}, 30_000);

test("a server behind Sentinel by TLS is reached, and Sentinel, too", async () => {
  const monitored = await startSecure(own, ["--tls-replication", "yes"]);
  const config = `sentinel monitor mygroup 127.0.0.1 ${monitored.tlsPort} 1\n`;
  const sentinel = await startSecure(own, ["--tls-replication", "yes"], config);
  const url = `rediss+sentinel://127.0.0.1:${sentinel.tlsPort}/mygroup?${CACERT}&${showing(caller)}`;
  expect(await lockAt(url)).toBe("a");
}, 30_000);
