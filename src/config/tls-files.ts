/**
 * The files of TLS_…_FILE: read at the start, and again when they have changed, so that a certificate is renewed without a
 * restart. Files that do not fit together, as while one of two is written, leave what was there before.
 */
import { readFileSync } from "node:fs";
import { ElasticJobError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { type Certificates, certificatesIn, checkPair, type Plain, type Tls } from "../tls/certificates.ts";
import { errorWord, fileVersion } from "./file-version.ts";
import { OwnCertificate } from "./own-certificate.ts";

export interface TlsSettings {
  readonly tlsCertFile: string | null;
  readonly tlsKeyFile: string | null;
  readonly tlsCaFile: string | null;
  readonly tlsClientCaFile: string | null;
  readonly tlsServerName: string | null;
  readonly tlsPlain: Plain;
}

/** So often at most a connection looks whether they have changed. */
const LOOK_EVERY_MS = 1_000;

interface Time {
  now(): number;
  monotonic(): number;
}

/**
 * `calledBy`: the name that callers look for in this process's certificate, as far as it is known. null: nothing is set. Throws `invalid_argument` when a file cannot be read, or is not what it is to be.
 */
export function openTls(
  settings: TlsSettings,
  logger: Pick<Logger, "info" | "warn" | "error">,
  time: Time,
  calledBy: () => string | null = () => null,
): Tls | null {
  const { tlsCertFile, tlsCaFile, tlsServerName: serverName, tlsPlain: plain } = settings;
  if (tlsCertFile === null && tlsCaFile === null && serverName === null) return null;
  const files = [tlsCertFile, settings.tlsKeyFile, tlsCaFile, settings.tlsClientCaFile].filter(
    (path) => path !== null,
  );
  const versions = () => files.map(fileVersion).join();
  const own = new OwnCertificate(logger, calledBy);
  let told = "";
  let seen = versions();
  let current = readAll(settings);
  let lookedAt = time.monotonic();
  own.look(current, time.now());
  return {
    serverName,
    plain,
    certificates() {
      if (time.monotonic() - lookedAt < LOOK_EVERY_MS) return current;
      lookedAt = time.monotonic();
      const now = versions();
      if (now !== seen) {
        seen = now;
        readAgain();
      }
      own.look(current, time.now());
      return current;
    },
  };

  function readAgain(): void {
    try {
      const found = readAll(settings);
      const wasTold = told !== "";
      told = "";
      if (JSON.stringify(found) !== JSON.stringify(current)) {
        current = found;
        logger.info({ files }, "the certificates have changed; new connections have them");
      } else if (wasTold) {
        logger.info({ files }, "the files of the certificates are accepted again");
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== told)
        logger.error(
          { why },
          "the certificates have changed, and are not accepted; those that were there before go on",
        );
      told = why;
    }
  }
}

function readAll({ tlsCertFile, tlsKeyFile, tlsCaFile, tlsClientCaFile }: TlsSettings): Certificates {
  const own =
    tlsCertFile === null || tlsKeyFile === null
      ? null
      : { cert: readCertificates("TLS_CERT_FILE", tlsCertFile), key: read("TLS_KEY_FILE", tlsKeyFile) };
  if (own !== null) {
    about(`TLS_KEY_FILE: ${tlsKeyFile} for TLS_CERT_FILE ${tlsCertFile}`, () => checkPair(own.cert, own.key));
  }
  return Object.freeze({
    own,
    ca: tlsCaFile === null ? null : readCertificates("TLS_CA_FILE", tlsCaFile),
    clientCa: tlsClientCaFile === null ? null : readCertificates("TLS_CLIENT_CA_FILE", tlsClientCaFile),
  });
}

function readCertificates(name: string, path: string): string {
  const pem = read(name, path);
  about(`${name}: ${path}`, () => certificatesIn(pem));
  return pem;
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ElasticJobError("invalid_argument", `${name}: ${path} cannot be read (${errorWord(error)})`, {
      cause: error,
    });
  }
}

function about(what: string, check: () => unknown): void {
  try {
    check();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ElasticJobError("invalid_argument", `${what}: ${why}`, { cause });
  }
}
