/** Connections to a MySQL that offers TLS, and to one that does not, as MYSQL_URL asks. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql, { type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openMysqlStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { expectCode } from "../../fixtures/store-fixture.ts";
import { startMysql } from "../../servers/mysql.ts";
import type { PrivateServer } from "../../servers/private-server.ts";

const folder = mkdtempSync(join(tmpdir(), "elastic-job-tls-"));
const file = (name: string) => join(folder, name);
let secure: PrivateServer;
let misnamed: PrivateServer;
let plain: PrivateServer;

const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
const KEY = ["-newkey", "rsa:2048", "-nodes"];

function makeAuthority(): void {
  openssl(
    "req",
    "-x509",
    ...KEY,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=Test CA",
  );
}

/** A server whose certificate is for this name. */
function startSecure(name: string): Promise<PrivateServer> {
  openssl("req", ...KEY, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
  openssl("x509", "-req", "-in", `${name}.csr`, ...signed, "-out", `${name}.pem`);
  const cert = `--ssl-cert=${file(`${name}.pem`)}`;
  return startMysql({
    moreOptions: () => [`--ssl-ca=${file("ca.pem")}`, cert, `--ssl-key=${file(`${name}.key`)}`],
  });
}

beforeAll(async () => {
  makeAuthority();
  [secure, misnamed, plain] = await Promise.all([
    startSecure("localhost"),
    startSecure("elsewhere"),
    startMysql({ moreOptions: (isMariaDb) => [isMariaDb ? "--skip-ssl" : "--tls-version="] }),
  ]);
  for (const server of [secure, misnamed, plain]) {
    const root = await mysql.createConnection({ uri: server.url });
    await root.query("CREATE DATABASE jobs");
    await root.end();
  }
}, 120_000);

afterAll(async () => {
  await Promise.all([secure?.stop(), misnamed?.stop(), plain?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a store at this URL and migrates. */
async function migrate(
  server: PrivateServer,
  scheme: string,
  host: string,
  parameters: string,
): Promise<void> {
  const url = `${scheme}://root@${host}:${server.port}/jobs${parameters}`;
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
  ["mysql", "127.0.0.1", `?ssl-mode=VERIFY_CA&ssl-ca=${file("ca.pem")}`],
  ["mysql", "127.0.0.1", `?ssl-ca=${file("ca.pem")}`],
  ["mysql", "localhost", `?ssl-mode=VERIFY_IDENTITY&ssl-ca=${file("ca.pem")}`],
  ["mysqls", "localhost", `?ssl-ca=${file("ca.pem")}`],
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

test.each([
  ["mysql", "?ssl-mode=VERIFY_CA", "an authority that nobody knows"],
  ["mysqls", "", "an authority that nobody knows"],
  ["mysql", `?ssl-mode=VERIFY_IDENTITY&ssl-ca=${file("ca.pem")}`, "another name"],
])("%s://…%s refuses for good a certificate of %s", async (scheme, parameters, what) => {
  const server = what === "another name" ? misnamed : secure;
  const error = await expectCode(migrate(server, scheme, "localhost", parameters), "failed_precondition");
  expect(error.message).toMatch(/^MYSQL_URL: no connection as its ssl-mode asks: .*certificate/);
});

test("VERIFY_CA takes a certificate of another name", async () => {
  await migrate(misnamed, "mysql", "localhost", `?ssl-mode=VERIFY_CA&ssl-ca=${file("ca.pem")}`);
});

test("a server without TLS is refused for good by a URL that asks for it", async () => {
  const error = await expectCode(
    migrate(plain, "mysql", "127.0.0.1", "?ssl-mode=REQUIRED"),
    "failed_precondition",
  );
  expect(error.message).toMatch(/^MYSQL_URL: no connection as its ssl-mode asks: .*does not support/);
});

test("an ssl-ca that cannot be read is named", () => {
  const url = `mysql://root@127.0.0.1:${secure.port}/jobs?ssl-ca=${file("none.pem")}`;
  expect(() => openMysqlStore({ url, clock: systemClock })).toThrow(
    /MYSQL_URL: ssl-ca cannot be read: .*none\.pem/,
  );
});
