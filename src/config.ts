/** All settings of a process, from its environment and from the files with secrets that it names. */
import { availableParallelism } from "node:os";
import type * as z from "zod";
import { handlerEnvironment } from "./config/handler-environment.ts";
import { joinPassword } from "./config/join-password.ts";
import { fileSetting, type ReadFile, readTextFile, secretText } from "./config/secret-text.ts";
import { SETTINGS, type Setting, type SettingName } from "./config/settings.ts";
import type { TlsSettings } from "./config/tls-files.ts";
import { tlsProblems } from "./config/tls-problems.ts";
import type { AuditRetention } from "./core/audit/audit-record.ts";
import { isPlaceholder } from "./core/callers/placeholder.ts";
import { ElasticJobError, type Problem } from "./core/errors.ts";
import type { Retention } from "./core/state/retention.ts";

export { clusterHosts } from "./config/cluster-hosts.ts";
export { describeSettings, SECRET_VARIABLES } from "./config/settings.ts";

export interface Config extends TlsSettings {
  /** With its password, also where that was given apart. null, as `redisUrl` is then: the embedded store and lock in `dataDir`. */
  readonly mysqlUrl: string | null;
  readonly redisUrl: string | null;
  readonly dataDir: string;
  /** null: the system's, where they are newer than the runtime's. */
  readonly zoneDir: string | null;
  readonly port: number;
  readonly host: string;
  readonly advertiseAddress: string | null;
  readonly edgePort: number;
  readonly upstreams: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Empty: callers of this machine need none, and others neither if the API is open. */
  readonly apiTokens: readonly string[];
  /** null: `apiTokens` are all. */
  readonly apiTokensFile: string | null;
  readonly openApi: "on" | "off";
  /** The first proves this node, any proves another. Empty: the one that the database has. */
  readonly clusterSecrets: readonly string[];
  /** Where they come from, and are read again; null: from the environment. */
  readonly clusterSecretFile: string | null;
  readonly handlersPath: string | null;
  /** null: none. */
  readonly schedulesGeneration: number | null;
  readonly schedulesMissing: "delete" | "keep";
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly httpAllowedHosts: readonly string[];
  readonly secretsDir: string | null;
  readonly secretHosts: readonly string[];
  readonly shellHandler: "on" | "off";
  /** One of the two is set if the handler is on. */
  readonly shellUser: string | null;
  readonly shellSameUser: "on" | "off";
  /** The environment that handlers have. */
  readonly handlerEnvironment: Environment;
  readonly nodeId: string | null;
  readonly clusterPrefix: string;
  readonly lockTtlMs: number;
  readonly nodeLeaseMs: number;
  readonly horizonMs: number;
  readonly maxLost: number;
  readonly retention: Retention;
  readonly auditRetention: AuditRetention;
  readonly maxPayloadBytes: number;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly drainGraceMs: number;
}

const SLOTS_A_CORE = 16;

/** What settings are read from. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Throws `invalid_argument` with everything that is wrong. A variable that is set but empty counts as
 * not set. `cores`: as the container sees them. `readFile`: for settings that name a file with a secret.
 */
export function parseConfig(
  env: Environment,
  cores: number = availableParallelism(),
  readFile: ReadFile = readTextFile,
): Config {
  const problems: Problem[] = [];
  const read = <Name extends SettingName>(name: Name) => readSetting(env, name, problems, readFile);
  const mysql = { url: read("MYSQL_URL"), password: read("MYSQL_PASSWORD") };
  const redis = { url: read("REDIS_URL"), password: read("REDIS_PASSWORD") };
  const config: Config = {
    mysqlUrl: joinPassword("MYSQL", mysql, problems),
    redisUrl: joinPassword("REDIS", redis, problems),
    dataDir: read("DATA_DIR"),
    zoneDir: read("TZDIR"),
    port: read("PORT"),
    host: read("HOST"),
    advertiseAddress: read("ADVERTISE_ADDRESS"),
    edgePort: read("EDGE_PORT"),
    upstreams: read("UPSTREAM"),
    allowedOrigins: read("ALLOWED_ORIGINS"),
    apiTokens: read("API_TOKENS") ?? [],
    apiTokensFile: read("API_TOKENS_FILE"),
    openApi: read("OPEN_API"),
    clusterSecrets: read("CLUSTER_SECRET") ?? [],
    clusterSecretFile: env[fileSetting("CLUSTER_SECRET")]?.trim() || null,
    tlsCertFile: read("TLS_CERT_FILE"),
    tlsKeyFile: read("TLS_KEY_FILE"),
    tlsCaFile: read("TLS_CA_FILE"),
    tlsClientCaFile: read("TLS_CLIENT_CA_FILE"),
    tlsServerName: read("TLS_SERVER_NAME"),
    tlsPlain: read("TLS_PLAIN"),
    handlersPath: read("HANDLERS"),
    schedulesGeneration: read("SCHEDULES_GENERATION"),
    schedulesMissing: read("SCHEDULES_MISSING"),
    slots: read("SLOTS") ?? SLOTS_A_CORE * cores,
    labels: read("LABELS"),
    httpAllowedHosts: read("HTTP_ALLOWED_HOSTS"),
    secretsDir: read("SECRETS_DIR"),
    secretHosts: read("SECRET_HOSTS"),
    shellHandler: read("SHELL_HANDLER"),
    shellUser: read("SHELL_USER"),
    shellSameUser: read("SHELL_SAME_USER"),
    handlerEnvironment: handlerEnvironment(env),
    nodeId: read("NODE_ID"),
    clusterPrefix: read("CLUSTER_PREFIX"),
    lockTtlMs: read("LOCK_TTL_MS"),
    nodeLeaseMs: read("NODE_LEASE_MS"),
    horizonMs: read("HORIZON_MS"),
    maxLost: read("MAX_LOST"),
    retention: read("RETENTION"),
    auditRetention: read("AUDIT_RETENTION"),
    maxPayloadBytes: read("MAX_PAYLOAD_BYTES"),
    logLevel: read("LOG_LEVEL"),
    drainGraceMs: read("DRAIN_GRACE_MS"),
  };
  problems.push(...crossCheck(env, config));
  if (problems.length > 0) throw invalidSettings(problems);
  return Object.freeze(config);
}

/** What `migrate` needs, which knows of no lock. Throws as `parseConfig` does. */
export function parseStoreConfig(
  env: Environment,
  readFile: ReadFile = readTextFile,
): Pick<Config, "mysqlUrl" | "dataDir"> {
  const problems: Problem[] = [];
  const read = <Name extends SettingName>(name: Name) => readSetting(env, name, problems, readFile);
  const mysql = { url: read("MYSQL_URL"), password: read("MYSQL_PASSWORD") };
  const config = { mysqlUrl: joinPassword("MYSQL", mysql, problems), dataDir: read("DATA_DIR") };
  if (mysql.password !== null && mysql.url === null && problems.length === 0) {
    problems.push({ field: "MYSQL_PASSWORD", message: passwordAlone("MYSQL") });
  }
  if (problems.length > 0) throw invalidSettings(problems);
  return config;
}

type SettingValue<Name extends SettingName> =
  | z.output<(typeof SETTINGS)[Name]["schema"]>
  | ((typeof SETTINGS)[Name]["default"] extends null ? null : never);

/** What is wrong with it goes to `problems`; the value returned then is of no use. */
function readSetting<Name extends SettingName>(
  env: Environment,
  name: Name,
  problems: Problem[],
  readFile: ReadFile,
): SettingValue<Name> {
  const setting: Setting = SETTINGS[name];
  // The file of tokens says more than API_TOKENS can, and is a setting of its own.
  const isFromFile = setting.secret === true && !(fileSetting(name) in SETTINGS);
  const found = isFromFile ? secretText(env, name, readFile) : { field: name, text: env[name] ?? "" };
  if ("message" in found) {
    problems.push(found);
    return null as SettingValue<Name>;
  }
  const { field } = found;
  const trimmed = found.text.trim();
  const given = setting.isVerbatim === true && trimmed !== "" ? found.text : trimmed;
  const value = given === "" ? setting.default : given;
  if (value === null) return null as SettingValue<Name>;
  const parsed = setting.schema.safeParse(value);
  if (!parsed.success && setting.saysWhy === true) {
    problems.push(...parsed.error.issues.map(({ message }) => ({ field, message })));
  } else if (!parsed.success) {
    const shown = setting.secret === true ? "its value (not shown)" : JSON.stringify(given);
    problems.push({ field, message: `${shown} is not accepted; use ${setting.accepts}` });
  } else if (setting.secretsIn?.(value).some(isPlaceholder) === true) {
    const message =
      "holds a placeholder (not shown), as examples have them for all to read; choose another, such as one by openssl rand -hex 24";
    problems.push({ field, message });
  }
  return parsed.data as SettingValue<Name>;
}

function crossCheck(env: Environment, config: Config): Problem[] {
  const problems: Problem[] = [];
  const hasVariable = (name: string) => (env[name]?.trim() ?? "") !== "";
  const isSet = (name: SettingName) => hasVariable(name) || hasVariable(fileSetting(name));
  for (const server of ["MYSQL", "REDIS"] as const) {
    if (!isSet(`${server}_PASSWORD`) || isSet(`${server}_URL`)) continue;
    problems.push({ field: `${server}_PASSWORD`, message: passwordAlone(server) });
  }
  if (isSet("REDIS_URL") && !isSet("MYSQL_URL")) {
    const message =
      "is set without MYSQL_URL; nodes that share a Redis must share a database: set both or neither";
    problems.push({ field: "REDIS_URL", message });
  }
  if (isSet("MYSQL_URL") && !isSet("REDIS_URL")) {
    const message =
      "is set without REDIS_URL; nodes that share a database elect one master there: set both or neither";
    problems.push({ field: "MYSQL_URL", message });
  }
  if (hasVariable("API_TOKENS") && hasVariable("API_TOKENS_FILE")) {
    problems.push({ field: "API_TOKENS_FILE", message: "is set beside API_TOKENS; one of them is accepted" });
  }
  if (config.apiTokens?.some((token) => config.clusterSecrets?.includes(token))) {
    const message = "has the secret between nodes (not shown), which is no caller's; choose another token";
    problems.push({ field: "API_TOKENS", message });
  }
  if (hasVariable("SECRET_HOSTS") && !hasVariable("SECRETS_DIR")) {
    const message = "is set without SECRETS_DIR, which has the secrets";
    problems.push({ field: "SECRET_HOSTS", message });
  }
  problems.push(...tlsProblems(config));
  if (config.shellHandler === "on" && config.shellUser === null && config.shellSameUser === "off") {
    const message =
      "is on, and nothing says whom programs run as; set SHELL_USER to a user of their own, or SHELL_SAME_USER=on, with which they can read the node's secrets";
    problems.push({ field: "SHELL_HANDLER", message });
  }
  if (config.shellUser !== null && config.shellSameUser === "on") {
    const message = "is set with SHELL_SAME_USER=on, which says the opposite; use one of the two";
    problems.push({ field: "SHELL_USER", message });
  }
  // Else the jobs of every node would be aborted whenever a master goes without a word.
  if (config.nodeLeaseMs <= config.lockTtlMs) {
    const message = `${config.nodeLeaseMs} is too short; use more than LOCK_TTL_MS (${config.lockTtlMs}), best twice that`;
    problems.push({ field: "NODE_LEASE_MS", message });
  }
  return problems;
}

function passwordAlone(server: "MYSQL" | "REDIS"): string {
  return `is set without ${server}_URL, which says where it is the password`;
}

function invalidSettings(problems: readonly Problem[]): ElasticJobError {
  const lines = problems.map(({ field, message }) => `  ${field}: ${message}`);
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return new ElasticJobError("invalid_argument", [`the settings have ${count}:`, ...lines].join("\n"));
}
