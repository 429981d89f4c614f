import { afterAll, expect, test } from "vitest";
import { openTls, type TlsSettings } from "../../../src/config/tls-files.ts";
import { certificateFolder, replaceCertificate } from "../../fixtures/certificates.ts";
import { recordingLogger } from "../../fixtures/recording-logger.ts";

const DAY_MS = 86_400_000;
const folder = certificateFolder();
const authority = folder.authority("authority");
afterAll(() => folder.remove());

/** A process that shows this certificate, at a time that the test moves. */
function show(name: string, alternatives: readonly string[], days: number, calledBy: string | null = null) {
  const files = authority.issue(name, alternatives, days);
  const settings: TlsSettings = {
    tlsCertFile: files.certFile,
    tlsKeyFile: files.keyFile,
    tlsCaFile: null,
    tlsClientCaFile: null,
    tlsServerName: null,
    tlsPlain: "off",
  };
  const logger = recordingLogger();
  let passed = 0;
  const time = { now: () => Date.now() + passed, monotonic: () => passed };
  const opened = openTls(settings, logger, time, () => calledBy);
  const move = (ms: number) => {
    passed += ms;
    opened?.certificates();
  };
  const told = () => logger.lines.map(({ level, message }) => `${level} ${message.split(/[:;]/)[0]}`);
  return { files, logger, move, told };
}

test("a certificate's end is told some days before, and when it has come, each once, and that it was renewed", () => {
  const { files, logger, move, told } = show("ends", ["DNS:a"], 90);
  for (let day = 0; day < 82; day++) move(DAY_MS);
  expect(told()).toEqual([]);
  for (let day = 0; day < 7; day++) move(DAY_MS);
  expect(told()).toEqual(["warn TLS_CERT_FILE is soon out of date"]);
  for (let day = 0; day < 3; day++) move(DAY_MS);
  expect(told().slice(1)).toEqual(["error TLS_CERT_FILE is out of date"]);
  expect(logger.lines[1]?.fields["problem"]).toMatch(
    /^the certificate of CN=ends is valid from .* to .* only$/,
  );
  replaceCertificate(authority.issue("renewed", ["DNS:a"], 365), files);
  move(1_000);
  expect(told().slice(2)).toEqual([
    "info the certificates have changed",
    "info TLS_CERT_FILE is in order again",
  ]);
});

test("a certificate for few days is told of shortly before its end", () => {
  const { move, told } = show("short", ["DNS:a"], 2);
  move(1.5 * DAY_MS);
  expect(told()).toEqual([]);
  move(0.2 * DAY_MS);
  expect(told()).toEqual(["warn TLS_CERT_FILE is soon out of date"]);
});

test.each([
  ["DNS:nodes.internal", "nodes.internal", true],
  ["DNS:*.nodes.internal", "a.nodes.internal", true],
  ["IP:10.0.0.5", "10.0.0.5", true],
  ["DNS:nodes.internal", "other.internal", false],
  ["DNS:nodes.internal", "10.0.0.5", false],
])("one for %s, of a process that is called %s, is in order: %s", (alternative, calledBy, isInOrder) => {
  const { logger, move, told } = show("named", [alternative], 90, calledBy);
  for (let look = 0; look < 3; look++) move(1_000);
  expect(told()).toEqual(
    isInOrder
      ? []
      : ["error TLS_CERT_FILE is for another name than other nodes call this one by, and so they refuse it"],
  );
  if (!isInOrder) {
    expect(logger.lines[0]?.fields["problem"]).toBe(
      `they call it ${calledBy}, the certificate is for ${alternative}`,
    );
  }
});

test("files that fit together again are told as well, after they did not", () => {
  const { files, move, told } = show("mended", ["DNS:a"], 90);
  const kept = authority.issue("mended-kept", ["DNS:a"], 90);
  const before = { ...kept };
  replaceCertificate(files, before);
  replaceCertificate({ ...files, keyFile: authority.issue("another", ["DNS:a"]).keyFile }, files);
  move(1_000);
  replaceCertificate(before, files);
  move(1_000);
  expect(told()).toEqual([
    "error the certificates have changed, and are not accepted",
    "info the files of the certificates are accepted again",
  ]);
});
