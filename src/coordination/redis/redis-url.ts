import { ElasticJobError } from "../../core/errors.ts";

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

export interface RedisCredentials {
  readonly username?: string;
  readonly password?: string;
}

/** What `rediss://` asks for beside TLS itself: the certificate is always checked. */
export interface RedisTls {
  /** Path of a file with the certificates that sign the servers'; null: those that Node.js trusts. */
  readonly caFile: string | null;
  /** Paths of the certificate that is shown to the servers, and of its key; null: none is. */
  readonly own: { readonly certFile: string; readonly keyFile: string } | null;
  /** The name that the servers' certificates must have; null: the host that they are called by. */
  readonly serverName: string | null;
}

/** What a `REDIS_URL` points at. `tls`: null: in the clear. */
export type RedisTarget = { readonly tls: RedisTls | null; readonly credentials: RedisCredentials } & (
  | { readonly kind: "single"; readonly server: RedisHost; readonly database: number }
  | { readonly kind: "cluster"; readonly roots: readonly RedisHost[] }
  | {
      readonly kind: "sentinel";
      readonly name: string;
      readonly sentinels: readonly RedisHost[];
      readonly sentinelCredentials: RedisCredentials;
      readonly database: number;
    }
);

export const REDIS_URL_FORMS =
  "redis://host:port/db or rediss://host:port/db for one server, several of them separated by commas for Redis " +
  "Cluster, or redis+sentinel://host1:port1,host2:port2/name for Sentinel";

const SERVER_PORT = 6379;
const SENTINEL_PORT = 26379;
const SENTINEL_PARAMETERS = ["sentinelUsername", "sentinelPassword"];
/** In the words of `redis-cli`. */
const TLS_PARAMETERS = ["cacert", "cert", "key", "sni"];

/** Throws `invalid_argument`; the message never repeats the URL, which may hold a password. */
export function parseRedisUrl(url: string): RedisTarget {
  const [, scheme, rest] = /^(rediss?(?:\+sentinel)?):\/\/(.+)$/s.exec(url.trim()) ?? [];
  if (scheme === undefined || rest === undefined) throw invalid("no such URL");
  const isSecure = scheme.startsWith("rediss");
  if (scheme.endsWith("+sentinel")) return parseSentinel(rest, isSecure);
  const servers = url.split(",").map((part) => parseServer(part.trim(), scheme));
  const [first] = servers;
  if (first === undefined) throw invalid("it names no server");
  const credentials = servers.find((server) => server.credentials.password !== undefined)?.credentials ?? {};
  const tls = tlsOf(
    isSecure,
    servers.map(({ parameters }) => parameters),
  );
  if (servers.length === 1) {
    return { kind: "single", tls, credentials, server: first.server, database: first.database };
  }
  if (servers.some((server) => server.isSecure !== isSecure))
    throw invalid("redis:// and rediss:// are mixed");
  if (servers.some((server) => server.database !== 0)) throw invalid("Redis Cluster has only database 0");
  return { kind: "cluster", tls, credentials, roots: servers.map(({ server }) => server) };
}

/**
 * A URL that `parseRedisUrl` takes, with this password; null: it has one. Of several servers, the first is given it, as one
 * counts for all; Sentinels have a password of their own.
 */
export function withRedisPassword(text: string, password: string): string | null {
  if (parseRedisUrl(text).credentials.password !== undefined) return null;
  // Not by URL: it knows none with several hosts.
  return text
    .trim()
    .replace(
      /^([\w+]+:\/\/)(?:([^@/,:]*):?@)?/,
      (_, scheme: string, user = "") => `${scheme}${user}:${encodeURIComponent(password)}@`,
    );
}

function parseServer(part: string, scheme: string) {
  const url = parse(part.includes("://") ? part : `${scheme}://${part}`, TLS_PARAMETERS);
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") throw invalid(`${url.protocol} is not redis:`);
  return {
    isSecure: url.protocol === "rediss:",
    parameters: url.searchParams,
    server: { host: hostOf(url), port: Number(url.port || SERVER_PORT) },
    credentials: credentialsOf(url.username, url.password),
    database: parseDatabase(url.pathname.slice(1)),
  };
}

function parseSentinel(rest: string, isSecure: boolean): RedisTarget {
  // A URL has one host only: the list is taken apart first.
  const [, userInfo = "", hosts = "", path = ""] = /^(?:([^@/]*)@)?([^/]*)\/?(.*)$/s.exec(rest) ?? [];
  const target = parse(`redis://${userInfo === "" ? "" : `${userInfo}@`}sentinel/${path}`, [
    ...SENTINEL_PARAMETERS,
    ...TLS_PARAMETERS,
  ]);
  const [name = "", database = "", ...more] = target.pathname.slice(1).split("/");
  if (name === "") throw invalid("the name of the Sentinel group is missing after the hosts");
  if (more.length > 0) throw invalid("too many parts after the name of the Sentinel group");
  return {
    kind: "sentinel",
    tls: tlsOf(isSecure, [target.searchParams]),
    credentials: credentialsOf(target.username, target.password),
    name: decode(name),
    sentinels: hosts.split(",").map((host) => {
      const url = parse(`redis://${host.trim()}`, []);
      return { host: hostOf(url), port: Number(url.port || SENTINEL_PORT) };
    }),
    sentinelCredentials: credentialsOf(
      encodeURIComponent(target.searchParams.get("sentinelUsername") ?? ""),
      encodeURIComponent(target.searchParams.get("sentinelPassword") ?? ""),
    ),
    database: parseDatabase(database),
  };
}

/** Of several servers, each parameter stands at one of them, and counts for all. */
function tlsOf(isSecure: boolean, parameters: readonly URLSearchParams[]): RedisTls | null {
  const read = (name: string): string | null => {
    const given = parameters.flatMap((some) => some.getAll(name));
    if (given.length > 1) throw invalid(`the parameter ${name} is there twice`);
    if (given[0] === "") throw invalid(`the parameter ${name} is empty`);
    return given[0] ?? null;
  };
  const [caFile, certFile, keyFile, serverName] = ["cacert", "cert", "key", "sni"].map(read);
  const isGiven = [caFile, certFile, keyFile, serverName].some((value) => value !== null);
  if (!isSecure) {
    if (isGiven) throw invalid(`${TLS_PARAMETERS.join(", ")} have no meaning without TLS; use rediss:`);
    return null;
  }
  if (certFile && !keyFile) throw invalid("cert needs key, the key that belongs to it");
  if (keyFile && !certFile) throw invalid("key needs cert, the certificate whose key it is");
  return {
    caFile: caFile ?? null,
    own: certFile && keyFile ? { certFile, keyFile } : null,
    serverName: serverName ?? null,
  };
}

/** `known`: the parameters that it may have, each once. One that were passed over would leave its user with less than was asked for. */
function parse(text: string, known: readonly string[]): URL {
  const url = URL.parse(text);
  if (url === null || url.hostname === "") throw invalid("a host or port cannot be read");
  if (url.hash !== "") throw invalid("a # must be written as %23");
  for (const name of url.searchParams.keys()) {
    // Of a password with a ? in it, nothing is shown.
    const shown = /^[\w-]{1,40}$/.test(name) ? `the parameter ${name}` : "a parameter";
    if (!known.includes(name)) {
      const which = known.length === 0 ? "none is" : `${known.join(", ")} are`;
      throw invalid(`${shown} is not known; ${which}`);
    }
    if (url.searchParams.getAll(name).length > 1) throw invalid(`${shown} is there twice`);
  }
  return url;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function credentialsOf(username: string, password: string): RedisCredentials {
  return {
    ...(username === "" ? {} : { username: decode(username) }),
    ...(password === "" ? {} : { password: decode(password) }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("a % is not followed by two hexadecimal digits");
  }
}

function parseDatabase(text: string): number {
  if (!/^\d{0,4}$/.test(text)) throw invalid("the database after the last / is not a number");
  return Number(text);
}

function invalid(what: string): ElasticJobError {
  return new ElasticJobError(
    "invalid_argument",
    `the Redis URL is not valid (${what}): use ${REDIS_URL_FORMS}`,
  );
}
