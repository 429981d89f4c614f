import { describe, expect, test } from "vitest";
import { handlerEnvironment } from "../../src/config/handler-environment.ts";
import { SETTINGS, type Setting } from "../../src/config/settings.ts";
import { clusterHosts, describeSettings, parseConfig, parseStoreConfig } from "../../src/config.ts";
import { ElasticJobError } from "../../src/core/errors.ts";

const CORES = 4;
const DAY_MS = 86_400_000;
const SERVERS = { MYSQL_URL: "mysql://app:secret@db/jobs", REDIS_URL: "redis://:secret@redis/0" };

function refusal(env: Record<string, string>): string {
  try {
    parseConfig(env, CORES);
  } catch (error) {
    if (error instanceof ElasticJobError && error.code === "invalid_argument") return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

test("an empty environment is the embedded default", () => {
  expect(parseConfig({}, CORES)).toEqual({
    mysqlUrl: null,
    redisUrl: null,
    dataDir: "./data",
    zoneDir: null,
    port: 7070,
    host: "0.0.0.0",
    advertiseAddress: null,
    edgePort: 8080,
    upstreams: ["http://127.0.0.1:7070"],
    allowedOrigins: [],
    apiTokens: [],
    apiTokensFile: null,
    openApi: "off",
    clusterSecrets: [],
    clusterSecretFile: null,
    tlsCertFile: null,
    tlsKeyFile: null,
    tlsCaFile: null,
    tlsClientCaFile: null,
    tlsServerName: null,
    tlsPlain: "off",
    handlersPath: null,
    schedulesGeneration: null,
    schedulesMissing: "delete",
    slots: 64,
    labels: {},
    httpAllowedHosts: [],
    secretsDir: null,
    secretHosts: [],
    shellHandler: "off",
    shellUser: null,
    shellSameUser: "off",
    handlerEnvironment: {},
    nodeId: null,
    clusterPrefix: "",
    lockTtlMs: 3000,
    nodeLeaseMs: 6000,
    horizonMs: 300_000,
    maxLost: 10,
    retention: {
      ageMs: { succeeded: 7 * DAY_MS, failed: 30 * DAY_MS, cancelled: 7 * DAY_MS, skipped: 7 * DAY_MS },
      resultsEach: { succeeded: null, failed: null, cancelled: null, skipped: null },
      resultsPerJob: 1000,
    },
    auditRetention: { ageMs: 90 * DAY_MS, rows: 1_000_000 },
    maxPayloadBytes: 1_048_576,
    logLevel: "info",
    drainGraceMs: 10_000,
  });
});

test("every setting is read", () => {
  const env = {
    ...SERVERS,
    DATA_DIR: "/var/lib/jobs",
    PORT: "0",
    HOST: "::1",
    ADVERTISE_ADDRESS: "[fd00::5]:7071",
    EDGE_PORT: "80",
    UPSTREAM: " http://n1:7070/, https://n2 ,",
    ALLOWED_ORIGINS: "https://a.example,http://localhost:3000",
    TLS_CERT_FILE: "/tls/node.pem",
    TLS_KEY_FILE: "/tls/node.key",
    TLS_CA_FILE: "/tls/ca.pem",
    TLS_CLIENT_CA_FILE: "/tls/callers.pem",
    TLS_SERVER_NAME: "nodes.internal",
    TLS_PLAIN: "accept",
    HANDLERS: "./jobs.ts",
    SCHEDULES_GENERATION: "1795933237462",
    SCHEDULES_MISSING: "keep",
    SLOTS: "0",
    LABELS: "gpu=true, zone=a=b,empty=",
    HTTP_ALLOWED_HOSTS:
      "API.example.com, *.internal,127.0.0.1,[fd00::5],a.example:8443,*.internal:81,10.1.0.0/16:8080,FD00::/8,[fd12::/16]:81,*",
    SECRETS_DIR: "/run/job-secrets",
    SECRET_HOSTS: "stripe=API.stripe.com, stripe=*.stripe.com:8443,db.x=10.1.0.0/16",
    SHELL_HANDLER: "on",
    SHELL_USER: "jobs",
    NODE_ID: "node-1",
    CLUSTER_PREFIX: "staging:",
    LOCK_TTL_MS: "1000",
    NODE_LEASE_MS: "2000",
    HORIZON_MS: "60000",
    MAX_LOST: "3",
    RETENTION: "failed=90d, results=off",
    AUDIT_RETENTION: "age=1d, rows=off",
    MAX_PAYLOAD_BYTES: "2048",
    LOG_LEVEL: "debug",
    DRAIN_GRACE_MS: "0",
  };
  const config = parseConfig(env, CORES);
  const { MYSQL_URL, REDIS_URL, ...forHandlers } = env;
  expect(config).toEqual({
    mysqlUrl: MYSQL_URL,
    redisUrl: REDIS_URL,
    dataDir: "/var/lib/jobs",
    zoneDir: null,
    port: 0,
    host: "::1",
    advertiseAddress: "[fd00::5]:7071",
    edgePort: 80,
    upstreams: ["http://n1:7070", "https://n2"],
    allowedOrigins: ["https://a.example", "http://localhost:3000"],
    apiTokens: [],
    apiTokensFile: null,
    openApi: "off",
    clusterSecrets: [],
    clusterSecretFile: null,
    tlsCertFile: "/tls/node.pem",
    tlsKeyFile: "/tls/node.key",
    tlsCaFile: "/tls/ca.pem",
    tlsClientCaFile: "/tls/callers.pem",
    tlsServerName: "nodes.internal",
    tlsPlain: "accept",
    handlersPath: "./jobs.ts",
    schedulesGeneration: 1_795_933_237_462,
    schedulesMissing: "keep",
    slots: 0,
    labels: { gpu: "true", zone: "a=b", empty: "" },
    httpAllowedHosts: [
      "api.example.com",
      "*.internal",
      "127.0.0.1",
      "[fd00::5]",
      "a.example:8443",
      "*.internal:81",
      "10.1.0.0/16:8080",
      "[fd00::/8]",
      "[fd12::/16]:81",
      "*",
    ],
    secretsDir: "/run/job-secrets",
    secretHosts: ["stripe=api.stripe.com", "stripe=*.stripe.com:8443", "db.x=10.1.0.0/16"],
    shellHandler: "on",
    shellUser: "jobs",
    shellSameUser: "off",
    handlerEnvironment: forHandlers,
    nodeId: "node-1",
    clusterPrefix: "staging:",
    lockTtlMs: 1000,
    nodeLeaseMs: 2000,
    horizonMs: 60_000,
    maxLost: 3,
    retention: {
      ageMs: { succeeded: 7 * DAY_MS, failed: 90 * DAY_MS, cancelled: 7 * DAY_MS, skipped: 7 * DAY_MS },
      resultsEach: { succeeded: null, failed: null, cancelled: null, skipped: null },
      resultsPerJob: null,
    },
    auditRetention: { ageMs: DAY_MS, rows: null },
    maxPayloadBytes: 2048,
    logLevel: "debug",
    drainGraceMs: 0,
  });
});

test("the result can't be changed", () => {
  expect(Object.isFrozen(parseConfig({}, CORES))).toBe(true);
});

test("an empty or blank variable counts as not set, and unknown ones are none of our business", () => {
  const env = { PORT: "", MYSQL_URL: " ", LABELS: "", LOCK_TTL: "x", ELASTIC_JOB_X: "y", HOME: "/root" };
  const { MYSQL_URL: _, ...forHandlers } = env;
  expect(parseConfig(env, CORES)).toEqual({ ...parseConfig({}, CORES), handlerEnvironment: forHandlers });
});

test("all problems are reported at once, each with the variable, the value and what is accepted", () => {
  const message = refusal({
    PORT: "70700",
    LOG_LEVEL: "loud",
    LABELS: "gpu",
    SLOTS: "-1",
    REDIS_URL: "redis",
  });
  expect(message.split("\n")).toEqual([
    "the settings have 6 problems:",
    expect.stringMatching(/^ {2}REDIS_URL: the Redis URL is not valid \(no such URL\): use redis:/),
    '  PORT: "70700" is not accepted; use a whole number from 0 to 65535',
    '  SLOTS: "-1" is not accepted; use a whole number from 0 to 100000',
    expect.stringMatching(/^ {2}LABELS: "gpu" is not accepted; use name=value/),
    '  LOG_LEVEL: "loud" is not accepted; use one of debug, info, warn, error, silent',
    expect.stringMatching(/^ {2}REDIS_URL: is set without MYSQL_URL/),
  ]);
});

test("no message shows a password", () => {
  expect(refusal({ MYSQL_URL: "mysql://app:hunter2@db", REDIS_URL: "redis://:hunter2@h:1:2" })).not.toContain(
    "hunter2",
  );
});

describe("a value that is refused", () => {
  test.each([
    ["MYSQL_URL", "postgres://db/jobs"],
    ["MYSQL_URL", "mysql://db"],
    ["MYSQL_URL", "mysql://%zz@db/jobs"],
    ["MYSQL_URL", "mysql://db/a/b"],
    ["MYSQL_URL", "mysql://db/jobs?ssl-mode=PREFERRED"],
    ["MYSQL_URL", "mysql://db/jobs?connectionLimit=3"],
    ["REDIS_URL", "redis://a/0,redis://b/1"],
    ["REDIS_URL", "redis://a/0?timeout=3"],
    ["PORT", "7070.5"],
    ["PORT", "0x10"],
    ["PORT", "1e3"],
    ["HOST", "a b"],
    ["ADVERTISE_ADDRESS", "10.0.0.5"],
    ["ADVERTISE_ADDRESS", "10.0.0.5:0"],
    ["ADVERTISE_ADDRESS", "http://10.0.0.5:7070"],
    ["ADVERTISE_ADDRESS", "10.0.0.999:7070"],
    ["UPSTREAM", "n1:7070"],
    ["UPSTREAM", "http://n1,ftp://n2"],
    ["ALLOWED_ORIGINS", "https://a.example/page"],
    ["ALLOWED_ORIGINS", "a.example"],
    ["LABELS", "gpu=1,gpu=2"],
    ["LABELS", "=1"],
    ["NODE_ID", "node 1"],
    ["CLUSTER_PREFIX", "{a}"],
    ["LOCK_TTL_MS", "0"],
    ["MAX_PAYLOAD_BYTES", "99999999999999999999"],
  ])("%s=%s", (name, value) => {
    expect(refusal({ ...SERVERS, [name]: value })).toContain(`${name}: `);
  });
});

describe("settings that do not go together", () => {
  test("REDIS_URL without MYSQL_URL is refused", () => {
    expect(refusal({ REDIS_URL: SERVERS.REDIS_URL })).toMatch(
      /^the settings have a problem:\n {2}REDIS_URL: is set without/,
    );
  });
  test("MYSQL_URL without REDIS_URL is refused", () => {
    expect(refusal({ MYSQL_URL: SERVERS.MYSQL_URL })).toMatch(/MYSQL_URL: is set without REDIS_URL/);
  });
  test("a lease that ends before a lost master is replaced is refused", () => {
    expect(refusal({ LOCK_TTL_MS: "6000" })).toMatch(/NODE_LEASE_MS: 6000 .* LOCK_TTL_MS \(6000\)/);
  });
});

describe("settings for TLS", () => {
  const pair = { TLS_CERT_FILE: "/tls/node.pem", TLS_KEY_FILE: "/tls/node.key" };

  test.each<[string, Record<string, string>]>([
    ["TLS_CERT_FILE: is set without TLS_KEY_FILE", { TLS_CERT_FILE: "/tls/node.pem" }],
    ["TLS_KEY_FILE: is set without TLS_CERT_FILE", { TLS_KEY_FILE: "/tls/node.key" }],
    ["TLS_CA_FILE: is set without TLS_CERT_FILE", { TLS_CA_FILE: "/tls/ca.pem" }],
    ["TLS_SERVER_NAME: is set without TLS_CERT_FILE", { TLS_SERVER_NAME: "nodes" }],
    ["TLS_CLIENT_CA_FILE: is set without TLS_CERT_FILE", { TLS_CLIENT_CA_FILE: "/tls/ca.pem" }],
    ["TLS_PLAIN: is set without TLS_CERT_FILE", { TLS_PLAIN: "accept" }],
    ['TLS_PLAIN: "on" is not accepted; use one of off, accept, dial', { ...pair, TLS_PLAIN: "on" }],
    ['TLS_SERVER_NAME: "https://n" is not accepted', { ...pair, TLS_SERVER_NAME: "https://n" }],
  ])("that would do nothing, or are not known, are refused: %s", (problem, env) => {
    expect(refusal(env)).toContain(problem);
  });

  test("of those whom it calls, an edge with an upstream by https has use for", () => {
    const env = { UPSTREAM: "https://n1:7070", TLS_CA_FILE: "/tls/ca.pem", TLS_SERVER_NAME: "nodes" };
    expect(parseConfig(env, CORES)).toMatchObject({ tlsCaFile: "/tls/ca.pem", tlsServerName: "nodes" });
  });
});

test("the table of settings has a line with a meaning for each", () => {
  const table = describeSettings();
  expect(table).toHaveLength(44);
  for (const { meaning } of table) expect(meaning).not.toBe("");
  expect(table).toContainEqual({ name: "PORT", default: "7070", meaning: expect.any(String) });
});

test("tokens are lists, and are never shown", () => {
  const config = parseConfig(
    {
      ...SERVERS,
      API_TOKENS: "first-token-0123, second-token-0123",
      CLUSTER_SECRET: "new-secret-012345,old-secret-012345",
    },
    CORES,
  );
  expect(config.apiTokens).toEqual(["first-token-0123", "second-token-0123"]);
  expect(config.clusterSecrets).toEqual(["new-secret-012345", "old-secret-012345"]);
  const short = refusal({ API_TOKENS: "tiny-token", CLUSTER_SECRET: "with space 0123456" });
  expect(short).toMatch(/API_TOKENS: .*16 to 200/);
  expect(short).toMatch(/CLUSTER_SECRET: .*16 to 200/);
  expect(short).not.toContain("tiny-token");
});

test("tokens need no secret beside them: nodes prove themselves by the one in their database", () => {
  expect(parseConfig({ ...SERVERS, API_TOKENS: "first-token-0123" }, CORES).clusterSecrets).toEqual([]);
});

test.each(["API_TOKENS", "CLUSTER_SECRET"])("%s that is set and names none is no open door", (name) => {
  for (const value of [",", " , ", ",,,"]) expect(refusal({ [name]: value })).toMatch(`${name}: `);
});

test.each([
  "a.example:0",
  "a.example:65536",
  "a.example:",
  "*.*",
  "a*.example",
  "*:x",
  "http://a.example",
  "10.0.0.0/33",
  "10.0.0/8",
  "10.0.0.0/",
  "fd00::/129",
  "[fd00::/8",
  "[fd00::]/8",
  "a.example/8",
])("HTTP_ALLOWED_HOSTS: %s is refused", (rule) => {
  expect(() => parseConfig({ HTTP_ALLOWED_HOSTS: rule }, CORES)).toThrow("HTTP_ALLOWED_HOSTS");
});

describe("handlers' environment", () => {
  test("has what is not ours, and of ours what is no secret", () => {
    const others = { PATH: "/bin", NODE_ID: "n1", MYSQL_HOST: "a", STRIPE_KEY: "k", HANDLERS: "./jobs.ts" };
    expect(parseConfig(others, CORES).handlerEnvironment).toEqual(others);
  });

  test("has no secret of ours, in any of the forms in which it can be given", () => {
    const names = [
      "MYSQL_URL",
      "REDIS_URL",
      "API_TOKENS",
      "CLUSTER_SECRET",
      "MYSQL_PASSWORD",
      "REDIS_PASSWORD",
    ];
    const secrets = [...names, "ELASTIC_JOB_TOKEN"].flatMap((name) => [
      name,
      `${name}_FILE`,
      name.toLowerCase(),
    ]);
    const env = Object.fromEntries(secrets.map((name) => [name, "secret-0123456789"]));
    expect(handlerEnvironment({ ...env, PATH: "/bin" })).toEqual({ PATH: "/bin" });
  });

  test("withholds each setting that is marked secret", () => {
    const secrets = Object.entries<Setting>(SETTINGS).filter(([, { secret }]) => secret === true);
    expect(secrets.length).toBeGreaterThan(3);
    expect(handlerEnvironment(Object.fromEntries(secrets.map(([name]) => [name, "x"])))).toEqual({});
  });
});

describe("the handler shell", () => {
  test("starts only if somebody says whom its programs run as", () => {
    expect(refusal({ SHELL_HANDLER: "on" })).toMatch(
      /SHELL_HANDLER: is on, .*SHELL_USER .*SHELL_SAME_USER=on/,
    );
    expect(parseConfig({ SHELL_HANDLER: "on", SHELL_SAME_USER: "on" }, CORES).shellUser).toBeNull();
    expect(parseConfig({ SHELL_HANDLER: "on", SHELL_USER: "2000:2000" }, CORES).shellUser).toBe("2000:2000");
  });

  test("runs programs as one user, not as both", () => {
    const both = { SHELL_HANDLER: "on", SHELL_USER: "jobs", SHELL_SAME_USER: "on" };
    expect(refusal(both)).toContain("SHELL_USER: is set with SHELL_SAME_USER=on");
  });

  test.each(["a b", "-u", "2000", "2000:", "$(id)"])("SHELL_USER=%s is refused", (name) => {
    expect(refusal({ SHELL_USER: name })).toContain("SHELL_USER: ");
  });
});

test.each<[string, string[]]>([
  ["redis://:secret@r1:6379/0", ["r1"]],
  ["redis://r1,r2:6380", ["r1", "r2"]],
  ["redis+sentinel://s1,s2/main", ["s1", "s2"]],
])("the hosts of the cluster are known: %s", (redisUrl, hosts) => {
  const settings = { mysqlUrl: "mysql://a:b@[fd00::9]/jobs", redisUrl, advertiseAddress: "[fd00::5]:7071" };
  expect(clusterHosts(settings)).toEqual(["fd00::9", ...hosts, "fd00::5"]);
});

test.each(["stripe", "=api.stripe.com", "stripe=", "stripe=http://a/", "../x=api.stripe.com", ".x=a"])(
  "SECRET_HOSTS=%j is refused",
  (value) => {
    expect(refusal({ SECRETS_DIR: "/secrets", SECRET_HOSTS: value })).toContain("SECRET_HOSTS: ");
  },
);

test("SECRET_HOSTS without SECRETS_DIR is refused", () => {
  expect(refusal({ SECRET_HOSTS: "stripe=api.stripe.com" })).toContain(
    "SECRET_HOSTS: is set without SECRETS_DIR",
  );
});

test("the secret between nodes is no API token", () => {
  const secret = "secret-of-the-cluster-0123";
  const message = refusal({ API_TOKENS: `another-token-of-16,${secret}`, CLUSTER_SECRET: secret });
  expect(message).toContain("API_TOKENS: has the secret between nodes");
  expect(message).not.toContain(secret);
});

describe("what `migrate` is given", () => {
  test("is where the tables are, without where the lock is", () => {
    expect(parseStoreConfig({ MYSQL_URL: "mysql://u@db/jobs", MYSQL_PASSWORD: "a b" })).toEqual({
      mysqlUrl: "mysql://u:a%20b@db/jobs",
      dataDir: "./data",
    });
    expect(parseStoreConfig({ DATA_DIR: "/jobs" })).toEqual({ mysqlUrl: null, dataDir: "/jobs" });
  });

  test.each([
    [{ MYSQL_URL: "postgres://db/jobs" }, "MYSQL_URL: "],
    [{ MYSQL_PASSWORD: "a" }, "MYSQL_PASSWORD: is set without MYSQL_URL"],
  ])("is refused where it is wrong: %j", (env, problem) => {
    expect(() => parseStoreConfig(env)).toThrow(problem);
  });
});
