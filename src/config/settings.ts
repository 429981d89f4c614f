/** Every setting there is: its name in the environment, default, meaning and what it accepts. */

import { DEFAULT_AUDIT_RETENTION } from "../core/state/audit-retention.ts";
import { DEFAULT_RETENTION } from "../core/state/retention.ts";
import { PLAIN } from "../tls/certificates.ts";
import type { Reader } from "./readers.ts";
import * as read from "./readers.ts";
import { fileSetting } from "./secret-text.ts";

export interface Setting<T = unknown> extends Reader<T> {
  /** As text; null: none. */
  readonly default: string | null;
  readonly meaning: string;
  /** Its value may hold a password, and is never shown. It can come from a file: `secret-text.ts`. */
  readonly secret?: true;
}

const MILLISECONDS_A_DAY = 86_400_000;

export const SETTINGS = {
  MYSQL_URL: {
    ...read.mysqlUrl,
    default: null,
    secret: true,
    meaning: "the database; without it, an SQLite file in DATA_DIR and a cluster of one node",
  },
  REDIS_URL: {
    ...read.redisUrl,
    default: null,
    secret: true,
    meaning: "where nodes elect the master and find each other; goes with MYSQL_URL",
  },
  MYSQL_PASSWORD: {
    ...read.password,
    default: null,
    secret: true,
    meaning: "the password for MYSQL_URL, where that has none; as it is, without %-escapes",
  },
  REDIS_PASSWORD: {
    ...read.password,
    default: null,
    secret: true,
    meaning: "the password for REDIS_URL, where that has none; as it is, without %-escapes",
  },
  DATA_DIR: {
    ...read.text("the path of a folder", /\S/),
    default: "./data",
    meaning: "folder of the SQLite file and of its lock, without MYSQL_URL",
  },
  TZDIR: {
    ...read.text("the path of a folder", /\S/),
    default: null,
    meaning:
      "folder of time zone files (TZif) to compute with; without it, the system's where they are newer than Node's own",
  },
  PORT: {
    ...read.wholeNumber(0, 65_535),
    default: "7070",
    meaning: "port of the node, for callers and other nodes; 0: any free one",
  },
  HOST: {
    ...read.text("the name or IP address of one of this machine's interfaces, without a port", /^[^\s/@]+$/),
    default: "0.0.0.0",
    meaning: "interface to listen on (dev: 127.0.0.1)",
  },
  ADVERTISE_ADDRESS: {
    ...read.address,
    default: null,
    meaning: "address at which other nodes reach this one; without it, one of this machine's and PORT",
  },
  EDGE_PORT: {
    ...read.wholeNumber(0, 65_535),
    default: "8080",
    meaning: "port of the edge; 0: any free one",
  },
  UPSTREAM: {
    ...read.list(read.nodeUrl),
    default: "http://127.0.0.1:7070",
    meaning: "edge: URLs of the nodes that it passes calls to",
  },
  ALLOWED_ORIGINS: {
    ...read.list(read.origin),
    default: "",
    meaning: "edge: browser pages from elsewhere that may call it",
  },
  API_TOKENS: {
    ...read.tokens,
    default: null,
    secret: true,
    meaning:
      "tokens of which a caller must send one, as Authorization: Bearer …; without any, only callers of the same machine are answered",
  },
  API_TOKENS_FILE: {
    ...read.text("the path of a file", /\S/),
    default: null,
    meaning:
      "file of tokens, lines of `name role token` with the roles read, write and operate; read again when it changes; instead of API_TOKENS, whose tokens may do everything",
  },
  OPEN_API: {
    ...read.oneOf(["on", "off"]),
    default: "off",
    meaning: "on: without API_TOKENS, callers from everywhere are answered",
  },
  CLUSTER_SECRET: {
    ...read.tokens,
    default: null,
    secret: true,
    meaning:
      "what nodes prove themselves by, and never send; of several, the first proves this node, and any proves another; without it, one that the database has",
  },
  TLS_CERT_FILE: {
    ...read.text("the path of a file", /\S/),
    default: null,
    meaning:
      "certificate of the node, or edge, in PEM, with those that lead to its authority: its port then speaks TLS, and nodes call each other by it; goes with TLS_KEY_FILE; read again when it changes",
  },
  TLS_KEY_FILE: {
    ...read.text("the path of a file", /\S/),
    default: null,
    meaning: "key of TLS_CERT_FILE, in PEM, without a passphrase",
  },
  TLS_CA_FILE: {
    ...read.text("the path of a file", /\S/),
    default: null,
    meaning:
      "certificates that sign those of other nodes, and of the edge's UPSTREAM by https; without it, those that Node.js trusts",
  },
  TLS_CLIENT_CA_FILE: {
    ...read.text("the path of a file", /\S/),
    default: null,
    meaning:
      "certificates of which one must have signed each caller's own: callers without one are refused; nodes, and an edge, show TLS_CERT_FILE",
  },
  TLS_SERVER_NAME: {
    ...read.text("the name of a host", /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/),
    default: null,
    meaning:
      "name that the certificates of other nodes must have, instead of the host that they are called by; for nodes whose addresses change",
  },
  TLS_PLAIN: {
    ...read.oneOf(PLAIN),
    default: "off",
    meaning:
      "while a cluster changes to TLS, or back: accept: the port answers plaintext, too; dial: and other nodes are called by it",
  },
  HANDLERS: {
    ...read.text("the path of a module", /\S/),
    default: null,
    meaning: "path of the module with your handlers",
  },
  SCHEDULES_GENERATION: {
    ...read.wholeNumber(0, Number.MAX_SAFE_INTEGER),
    default: null,
    meaning:
      "tells newer schedules of a module from older ones, as a build's number or the time of a commit: older ones change nothing; without it, those of the node that starts last hold",
  },
  SCHEDULES_MISSING: {
    ...read.oneOf(["delete", "keep"]),
    default: "delete",
    meaning: "what becomes of jobs of the module's set that it no longer names: delete, or keep",
  },
  SLOTS: {
    ...read.wholeNumber(0, 100_000),
    default: null,
    meaning: "how many slots of jobs the node runs at once (default: 16 a core); 0: none",
  },
  LABELS: {
    ...read.labels,
    default: "",
    meaning: "what jobs can require of the node, as gpu=true,zone=a",
  },
  HTTP_ALLOWED_HOSTS: {
    ...read.list(read.hostRule),
    default: "",
    meaning:
      "hosts that the handler http may call, as api.example.com,*.example.com:8443; * for any; none by default. An address that is not public, only by itself or its network: localhost:9099,127.0.0.1:9099 or jobs.internal,10.1.0.0/16",
  },
  SECRETS_DIR: {
    ...read.text("the path of a folder", /\S/),
    default: null,
    meaning:
      'folder with a file for each secret that payloads may name as {"$secret": "NAME"}; read when it is needed',
  },
  SECRET_HOSTS: {
    ...read.list(read.secretHost),
    default: "",
    meaning:
      "to which hosts the handler http may send which secret of SECRETS_DIR: stripe=api.stripe.com,stripe=*.stripe.com:8443; none by default",
  },
  SHELL_HANDLER: {
    ...read.oneOf(["on", "off"]),
    default: "off",
    meaning:
      "on: jobs can run programs on the node, by the handler shell; goes with SHELL_USER or SHELL_SAME_USER",
  },
  SHELL_USER: {
    ...read.text(
      "the name of a user, or its numbers, as 2000:2000",
      /^([A-Za-z_][\w.-]{0,63}|\d{1,9}:\d{1,9})$/,
    ),
    default: null,
    meaning:
      "whom the programs of the handler shell run as: a user of their own, or its numbers, as 2000:2000; the node must be allowed to change to it",
  },
  SHELL_SAME_USER: {
    ...read.oneOf(["on", "off"]),
    default: "off",
    meaning:
      "on: the programs of the handler shell run as the node's own user, and so can read the node's secrets",
  },
  NODE_ID: {
    ...read.text("up to 128 letters, digits and . _ : -", /^[A-Za-z0-9._:-]{1,128}$/),
    default: null,
    meaning: "name of the node in lists and results (default: the host's, with :PORT where that is not 7070)",
  },
  CLUSTER_PREFIX: {
    ...read.text("up to 100 characters without spaces, { or }", /^[^\s{}]{0,100}$/),
    default: "",
    meaning: "goes before every key in Redis, so that several clusters can share one",
  },
  LOCK_TTL_MS: {
    ...read.wholeNumber(500, 60_000),
    default: "3000",
    meaning: "how long a master that went silent stays master",
  },
  NODE_LEASE_MS: {
    ...read.wholeNumber(1_000, 600_000),
    default: "6000",
    meaning: "how long a node runs jobs without word from a master",
  },
  HORIZON_MS: {
    ...read.wholeNumber(1_000, MILLISECONDS_A_DAY),
    default: "300000",
    meaning: "how far ahead of their time jobs are loaded into the master's memory",
  },
  MAX_LOST: {
    ...read.wholeNumber(1, 1_000),
    default: "10",
    meaning: "after how many losses in a row a job has FAILED",
  },
  RETENTION: {
    ...read.retention,
    default: DEFAULT_RETENTION,
    meaning:
      "how long jobs and results are kept after they ended so, and how many results a job keeps: of one outcome (`failed=30d/500`), of all (`results`); off: all, for ever",
  },
  AUDIT_RETENTION: {
    ...read.auditRetention,
    default: DEFAULT_AUDIT_RETENTION,
    meaning:
      "how long it is kept what callers did (`age`), and about how many records of it, the newest (`rows`); off: all, for ever",
  },
  MAX_PAYLOAD_BYTES: {
    ...read.wholeNumber(1, 3 * 1024 * 1024),
    default: "1048576",
    meaning: "the largest payload of a job, as JSON text",
  },
  LOG_LEVEL: {
    ...read.oneOf(["debug", "info", "warn", "error", "silent"]),
    default: "info",
    meaning: "the least that is logged",
  },
  DRAIN_GRACE_MS: {
    ...read.wholeNumber(0, 3_600_000),
    default: "10000",
    meaning: "how long running jobs may go on after the node was asked to stop",
  },
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** Names under which a secret can stand in the environment, or a file that holds it. */
export const SECRET_VARIABLES: readonly string[] = Object.entries<Setting>(SETTINGS)
  .filter(([, { secret }]) => secret === true)
  .flatMap(([name]) => [name, fileSetting(name)]);

/** For --help and the README. */
export function describeSettings(): { name: string; default: string; meaning: string }[] {
  return Object.entries<Setting>(SETTINGS).map(([name, setting]) => ({
    name,
    default: setting.default ?? "",
    meaning: setting.meaning,
  }));
}
