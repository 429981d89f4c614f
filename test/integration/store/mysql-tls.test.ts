/** Connections to a MySQL that offers TLS, to one that takes nothing else, and to one that has none, as MYSQL_URL asks. */
import mysql, { type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { isError } from "../../../src/core/errors.ts";
import { openMysqlStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { certificateFolder, type TestCertificate } from "../../fixtures/certificates.ts";
import { expectCode } from "../../fixtures/store-fixture.ts";
import { until } from "../../fixtures/until.ts";
import { startMysql } from "../../servers/mysql.ts";
import type { PrivateServer } from "../../servers/private-server.ts";

const folder = certificateFolder();
const authority = folder.authority("authority");
const other = folder.authority("other-authority");
const caller = authority.issue("caller", ["DNS:caller"]);
const stranger = other.issue("stranger", ["DNS:caller"]);
const CA = `ssl-ca=${authority.file}`;
const showing = ({ certFile, keyFile }: TestCertificate) => `ssl-cert=${certFile}&ssl-key=${keyFile}`;
let secure: PrivateServer;
let misnamed: PrivateServer;
let expired: PrivateServer;
let strict: PrivateServer;
let plain: PrivateServer;

function startSecure({ certFile, keyFile }: TestCertificate, ...more: string[]): Promise<PrivateServer> {
  const options = [`--ssl-ca=${authority.file}`, `--ssl-cert=${certFile}`, `--ssl-key=${keyFile}`, ...more];
  return startMysql({ moreOptions: () => options });
}

const rootAt = ({ port }: PrivateServer) =>
  mysql.createConnection({ host: "127.0.0.1", port, user: "root", ssl: { rejectUnauthorized: false } });

beforeAll(async () => {
  const local = authority.issue("localhost", ["DNS:localhost"]);
  [secure, misnamed, expired, strict, plain] = await Promise.all([
    startSecure(local),
    startSecure(authority.issue("elsewhere", ["DNS:elsewhere"])),
    startSecure(authority.issue("over", ["DNS:localhost"], -1)),
    startSecure(local),
    startMysql({ moreOptions: (isMariaDb) => [isMariaDb ? "--skip-ssl" : "--tls-version="] }),
  ]);
  const servers = [secure, misnamed, expired, strict];
  for (const server of [...servers, plain]) {
    const root = server === plain ? await mysql.createConnection({ uri: plain.url }) : await rootAt(server);
    await root.query("CREATE DATABASE jobs");
    if (server === secure) {
      for (const [user, requirement] of [
        ["by_tls", "SSL"],
        ["by_certificate", "X509"],
      ]) {
        await root.query(`CREATE USER ${user}@'127.0.0.1' REQUIRE ${requirement}`);
        await root.query(`GRANT ALL ON jobs.* TO ${user}@'127.0.0.1'`);
      }
    }
    // Not from its start: what waits for it asks in the clear.
    if (server === strict) await root.query("SET GLOBAL require_secure_transport = ON");
    await root.end();
  }
}, 120_000);

afterAll(async () => {
  await Promise.all([secure, misnamed, expired, strict, plain].map((server) => server?.stop()));
  folder.remove();
});

/** Opens a store at this URL and migrates. */
async function migrate(
  server: PrivateServer,
  scheme: string,
  host: string,
  parameters: string,
  user = "root",
): Promise<void> {
  const url = `${scheme}://${user}@${host}:${server.port}/jobs${parameters}`;
  const store = openMysqlStore({ url, clock: systemClock });
  onTestFinished(() => store.close());
  await store.migrate();
}

/** How many connections have been made with TLS since the server's start. */
async function secureConnections(): Promise<number> {
  const root = await mysql.createConnection({ uri: secure.url });
  const [rows] = await root.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'");
  await root.end();
  return Number(rows[0]?.["Value"]);
}

test.each([
  ["mysql", "127.0.0.1", "?ssl-mode=REQUIRED"],
  ["mysql", "127.0.0.1", `?ssl-mode=VERIFY_CA&${CA}`],
  ["mysql", "127.0.0.1", `?${CA}`],
  ["mysql", "localhost", `?ssl-mode=VERIFY_IDENTITY&${CA}`],
  ["mysqls", "localhost", `?${CA}`],
])("%s://%s/jobs%s is encrypted", async (scheme, host, parameters) => {
  const before = await secureConnections();
  await migrate(secure, scheme, host, parameters);
  expect(await secureConnections()).toBeGreaterThan(before);
});

test.each(["", "?ssl-mode=DISABLED"])("mysql://127.0.0.1/jobs%s is plain", async (parameters) => {
  const before = await secureConnections();
  await migrate(secure, "mysql", "127.0.0.1", parameters);
  expect(await secureConnections()).toBe(before);
});

test.each<[string, string, () => PrivateServer, RegExp]>([
  ["mysql", "?ssl-mode=VERIFY_CA", () => secure, /no authority that is trusted here: .*ssl-ca=/],
  ["mysqls", "", () => secure, /no authority that is trusted here: .*ssl-ca=/],
  ["mysqls", `?ssl-ca=${other.file}`, () => secure, /no authority that is trusted here: .*ssl-ca=/],
  ["mysql", `?ssl-mode=VERIFY_IDENTITY&${CA}`, () => misnamed, /for another name: .*ssl-mode=VERIFY_CA/],
  ["mysqls", `?${CA}`, () => expired, /out of date: renew it/],
  ["mysqls", `?${CA}`, () => plain, /does not support.*switch TLS on in the server/],
])(
  "%s://…%s refuses for good what is not as it asks, and says what to change",
  async (scheme, parameters, server, words) => {
    const error = await expectCode(migrate(server(), scheme, "localhost", parameters), "failed_precondition");
    expect(error.message).toMatch(/^MYSQL_URL: no connection as its ssl-mode asks: /);
    expect(error.message).toMatch(words);
  },
);

test("a server that takes TLS only says so to a URL that asks for none, and takes one that does", async () => {
  const error = await expectCode(migrate(strict, "mysql", "127.0.0.1", ""), "failed_precondition");
  expect(error.message).toMatch(/^MYSQL_URL: .*by TLS only[,:] add ssl-mode=VERIFY_IDENTITY/);
  await migrate(strict, "mysqls", "localhost", `?${CA}`);
});

test("an account that has to come by TLS is told so, where the server says only that access is denied", async () => {
  const error = await expectCode(migrate(secure, "mysql", "127.0.0.1", "", "by_tls"), "failed_precondition");
  expect(error.message).toMatch(
    /Access denied.*; if the server takes this account, or all, by TLS only, add ssl-mode=VERIFY_IDENTITY/,
  );
  await migrate(secure, "mysql", "127.0.0.1", `?${CA}`, "by_tls");
});

test("an account that has to show a certificate shows one that the server's authority has signed", async () => {
  const by = (parameters: string) => migrate(secure, "mysql", "127.0.0.1", parameters, "by_certificate");
  const none = await expectCode(by(`?${CA}`), "failed_precondition");
  expect(none.message).toMatch(/if this account has to show a certificate, add ssl-cert and ssl-key/);
  for (const wrong of [stranger, authority.issue("caller-of-yesterday", ["DNS:caller"], -1)]) {
    // The server closes the connection with its alert, and whichever of the two is read first is the error.
    let refused: unknown;
    await until("it is told", async () => {
      refused = await by(`?${CA}&${showing(wrong)}`).catch((error: unknown) => error);
      return isError(refused, "failed_precondition");
    });
    expect(String(refused)).toMatch(
      /does not take the certificate that it was shown: .*ssl-cert=…&ssl-key=…/,
    );
  }
  await by(`?${CA}&${showing(caller)}`);
});

test("VERIFY_CA takes a certificate of another name", async () => {
  await migrate(misnamed, "mysql", "localhost", `?ssl-mode=VERIFY_CA&${CA}`);
});

test("an ssl-ca that cannot be read is named", () => {
  const url = `mysql://root@127.0.0.1:${secure.port}/jobs?ssl-ca=/none.pem`;
  expect(() => openMysqlStore({ url, clock: systemClock })).toThrow(
    /MYSQL_URL: ssl-ca cannot be read: .*none\.pem/,
  );
});

test("a certificate that does not belong to its key is named", () => {
  const mixed = `ssl-cert=${caller.certFile}&ssl-key=${stranger.keyFile}`;
  const url = `mysqls://root@localhost:${secure.port}/jobs?${CA}&${mixed}`;
  expect(() => openMysqlStore({ url, clock: systemClock })).toThrow(
    /MYSQL_URL: ssl-cert and ssl-key cannot be used: the key does not belong to the certificate/,
  );
});
