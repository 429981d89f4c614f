/**
 * What a `MYSQL_URL` says. Whatever stands in it is understood or refused: a parameter that were passed over, as
 * `ssl-mode` once was, leaves its user with a connection that is not what was asked for.
 */
import { ElasticJobError } from "../../core/errors.ts";
import { shorten } from "../../core/short-text.ts";

/** In the words of the `mysql` client. */
const TLS_MODES = ["DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"] as const;
export type TlsMode = (typeof TLS_MODES)[number];

export interface MysqlTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: TlsMode;
  /** Path of a file with the certificates that sign the server's; null: those that Node.js trusts. */
  readonly caFile: string | null;
  /** Paths of the certificate that is shown to the server, and of its key; null: none is. */
  readonly own: { readonly certFile: string; readonly keyFile: string } | null;
}

export const MYSQL_URL_FORM = "mysql://user:password@host:port/database";
const PARAMETERS = ["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key"];
const PORT = 3306;

/** Throws `invalid_argument`; the message never repeats the URL, which may hold a password. */
export function parseMysqlUrl(text: string): MysqlTarget {
  const url = URL.parse(text.trim());
  if (url === null || !/^mysqls?:$/.test(url.protocol)) throw invalid("it is no such URL");
  if (url.hostname === "") throw invalid("it names no host");
  if (!/^\/[^/]+$/.test(url.pathname)) throw invalid("it must name one database after the host");
  if (url.hash !== "") throw invalid("a # must be written as %23");
  const parameters = readParameters(url.searchParams);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const caFile = parameters.get("ssl-ca") ?? null;
  const own = ownCertificate(parameters.get("ssl-cert"), parameters.get("ssl-key"));
  const tls = tlsMode(url.protocol, parameters.get("ssl-mode"), caFile, own !== null);
  // What the certificate must name is then not known.
  if (tls === "VERIFY_IDENTITY" && isAddress(host)) {
    throw invalid(
      "VERIFY_IDENTITY compares the server's name, and the host is an address; use its name, or ssl-mode=VERIFY_CA",
    );
  }
  return {
    host,
    port: url.port === "" ? PORT : Number(url.port),
    user: decode(url.username),
    password: decode(url.password),
    database: decode(url.pathname.slice(1)),
    tls,
    caFile,
    own,
  };
}

/** A URL that `parseMysqlUrl` takes, with this password; null: it has one. */
export function withMysqlPassword(text: string, password: string): string | null {
  const url = new URL(text.trim());
  if (url.password !== "") return null;
  url.password = encodeURIComponent(password);
  return url.href;
}

function readParameters(given: URLSearchParams): Map<string, string> {
  const read = new Map<string, string>();
  for (const [name, value] of given) {
    if (!PARAMETERS.includes(name)) {
      // Of a password with a ? in it, nothing is shown.
      const which = /^[\w-]{1,40}$/.test(name) ? `the parameter ${name}` : "a parameter";
      throw invalid(`${which} is not known; ${PARAMETERS.join(", ")} are`);
    }
    if (read.has(name)) throw invalid(`the parameter ${name} is there twice`);
    if (value === "") throw invalid(`the parameter ${name} is empty`);
    read.set(name, value);
  }
  return read;
}

function ownCertificate(certFile: string | undefined, keyFile: string | undefined): MysqlTarget["own"] {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  if (certFile !== undefined) throw invalid("ssl-cert needs ssl-key, the key that belongs to it");
  if (keyFile !== undefined) throw invalid("ssl-key needs ssl-cert, the certificate whose key it is");
  return null;
}

function tlsMode(
  protocol: string,
  given: string | undefined,
  caFile: string | null,
  hasOwn: boolean,
): TlsMode {
  if (given === undefined) {
    if (protocol === "mysqls:") return "VERIFY_IDENTITY";
    if (caFile !== null) return "VERIFY_CA";
    return hasOwn ? "VERIFY_IDENTITY" : "DISABLED";
  }
  const mode = TLS_MODES.find((known) => known === given.toUpperCase());
  if (mode === undefined) {
    // The client's PREFERRED is plain, without a word, where somebody in between says that there is no TLS.
    throw invalid(`ssl-mode=${shorten(given, 40)} is not accepted; ${TLS_MODES.join(", ")} are`);
  }
  if (mode === "DISABLED" && protocol === "mysqls:")
    throw invalid("mysqls: and ssl-mode=DISABLED contradict each other");
  if (hasOwn && mode === "DISABLED") throw invalid("ssl-cert has no meaning with ssl-mode=DISABLED");
  if (caFile !== null && !mode.startsWith("VERIFY_")) {
    throw invalid(`ssl-ca has no meaning with ssl-mode=${mode}; use VERIFY_CA or VERIFY_IDENTITY`);
  }
  return mode;
}

function isAddress(host: string): boolean {
  return host.includes(":") || /^[\d.]+$/.test(host);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("a % is not followed by two hexadecimal digits");
  }
}

function invalid(what: string): ElasticJobError {
  return new ElasticJobError(
    "invalid_argument",
    `the MySQL URL is not valid (${what}): use ${MYSQL_URL_FORM}`,
  );
}
