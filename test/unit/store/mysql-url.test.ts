import { describe, expect, test } from "vitest";
import { parseMysqlUrl } from "../../../src/store/mysql/mysql-url.ts";

describe("a MySQL URL", () => {
  test("names server, account and database, and is plain unless it says otherwise", () => {
    expect(parseMysqlUrl("mysql://us%40er:p%2Fw@[::1]/jobs")).toEqual({
      host: "::1",
      port: 3306,
      user: "us@er",
      password: "p/w",
      database: "jobs",
      tls: "DISABLED",
      caFile: null,
      own: null,
    });
  });

  test.each([
    ["mysql://h/d?ssl-mode=DISABLED", "DISABLED", null],
    ["mysql://h/d?ssl-mode=REQUIRED", "REQUIRED", null],
    ["mysql://h/d?ssl-mode=verify_ca", "VERIFY_CA", null],
    ["mysql://h/d?ssl-mode=VERIFY_CA&ssl-ca=/etc/ca.pem", "VERIFY_CA", "/etc/ca.pem"],
    ["mysql://h/d?ssl-ca=/etc/ca.pem", "VERIFY_CA", "/etc/ca.pem"],
    ["mysql://h/d?ssl-mode=VERIFY_IDENTITY", "VERIFY_IDENTITY", null],
    ["mysqls://h/d", "VERIFY_IDENTITY", null],
    ["mysqls://h/d?ssl-ca=/etc/ca.pem", "VERIFY_IDENTITY", "/etc/ca.pem"],
    ["mysqls://10.0.0.1/d?ssl-mode=REQUIRED", "REQUIRED", null],
  ])("asks for TLS in the words of the mysql client: %s", (url, tls, caFile) => {
    expect(parseMysqlUrl(url)).toMatchObject({ tls, caFile });
  });

  test.each([
    ["mysql://h/d?ssl-cert=/c.pem&ssl-key=/c.key", "VERIFY_IDENTITY"],
    ["mysql://h/d?ssl-ca=/ca.pem&ssl-cert=/c.pem&ssl-key=/c.key", "VERIFY_CA"],
    ["mysqls://h/d?ssl-cert=/c.pem&ssl-key=/c.key", "VERIFY_IDENTITY"],
    ["mysql://h/d?ssl-mode=REQUIRED&ssl-cert=/c.pem&ssl-key=/c.key", "REQUIRED"],
  ])("names the certificate to show, and with it asks for TLS: %s", (url, tls) => {
    expect(parseMysqlUrl(url)).toMatchObject({ tls, own: { certFile: "/c.pem", keyFile: "/c.key" } });
  });

  test.each([
    ["", "it is no such URL"],
    ["postgres://h/d", "it is no such URL"],
    ["mysql:///d", "it names no host"],
    ["mysql://h", "it must name one database"],
    ["mysql://h/a/b", "it must name one database"],
    ["mysql://h/d#x", "a # must be written as %23"],
    ["mysql://%zz@h/d", "a % is not followed by two hexadecimal digits"],
    [
      "mysql://h/d?ssl-mode=PREFERRED",
      "ssl-mode=PREFERRED is not accepted; DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY are",
    ],
    ["mysql://h/d?ssl-mode=on", "ssl-mode=on is not accepted"],
    ["mysql://h/d?ssl-mode=", "the parameter ssl-mode is empty"],
    ["mysql://h/d?ssl-mode=REQUIRED&ssl-mode=DISABLED", "the parameter ssl-mode is there twice"],
    [
      "mysql://h/d?sslmode=REQUIRED",
      "the parameter sslmode is not known; ssl-mode, ssl-ca, ssl-cert, ssl-key are",
    ],
    ["mysql://h/d?SSL-MODE=REQUIRED", "the parameter SSL-MODE is not known"],
    ["mysql://h/d?connectionLimit=3", "the parameter connectionLimit is not known"],
    ["mysqls://h/d?ssl-mode=DISABLED", "mysqls: and ssl-mode=DISABLED contradict each other"],
    ["mysql://h/d?ssl-mode=REQUIRED&ssl-ca=/ca", "ssl-ca has no meaning with ssl-mode=REQUIRED"],
    ["mysql://h/d?ssl-cert=/c.pem", "ssl-cert needs ssl-key"],
    ["mysql://h/d?ssl-key=/c.key", "ssl-key needs ssl-cert"],
    [
      "mysql://h/d?ssl-mode=DISABLED&ssl-cert=/c&ssl-key=/k",
      "ssl-cert has no meaning with ssl-mode=DISABLED",
    ],
    ["mysql://10.0.0.1/d?ssl-cert=/c&ssl-key=/k", "the host is an address"],
    ["mysqls://10.0.0.1/d", "the host is an address"],
    ["mysqls://[fd00::1]/d", "the host is an address"],
  ])("says what is wrong with it: %s", (url, what) => {
    expect(() => parseMysqlUrl(url)).toThrow(what);
    expect(() => parseMysqlUrl(url)).toThrow("use mysql://user:password@host:port/database");
  });

  test("is not repeated in the refusal: it may hold a password", () => {
    for (const url of [
      "mysql://u:hunter2@h",
      "mysql://u:1/2?hunter2@h/d",
      "mysql://u:hunter2@h/d?x=hunter2",
    ]) {
      expect(() => parseMysqlUrl(url)).toThrow(/^(?!.*hunter2).*use mysql:/s);
    }
  });
});
