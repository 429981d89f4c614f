/** All settings of a process, from its environment. */
import { availableParallelism } from "node:os";
import type * as z from "zod";
import { handlerEnvironment } from "./config/handler-environment.ts";
import { SETTINGS, type Setting, type SettingName } from "./config/settings.ts";
import { ElasticJobError, type Problem } from "./core/errors.ts";
import type { Retention } from "./core/state/retention.ts";

export { clusterHosts } from "./config/cluster-hosts.ts";
export { describeSettings } from "./config/settings.ts";

export interface Config {
  /** null, as `redisUrl` is then: the embedded store and lock in `dataDir`. */
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
  readonly handlersPath: string | null;
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly httpAllowedHosts: readonly string[];
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
  readonly maxPayloadBytes: number;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly drainGraceMs: number;
}

const SLOTS_A_CORE = 16;

/** What settings are read from. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Throws `invalid_argument` with everything that is wrong. A variable that is set but empty counts as
 * not set. `cores`: as the container sees them.
 */
export function parseConfig(env: Environment, cores: number = availableParallelism()): Config {
  const problems: Problem[] = [];
  const read = <Name extends SettingName>(name: Name) => readSetting(env, name, problems);
  const config: Config = {
    mysqlUrl: read("MYSQL_URL"),
    redisUrl: read("REDIS_URL"),
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
    handlersPath: read("HANDLERS"),
    slots: read("SLOTS") ?? SLOTS_A_CORE * cores,
    labels: read("LABELS"),
    httpAllowedHosts: read("HTTP_ALLOWED_HOSTS"),
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
    maxPayloadBytes: read("MAX_PAYLOAD_BYTES"),
    logLevel: read("LOG_LEVEL"),
    drainGraceMs: read("DRAIN_GRACE_MS"),
  };
  problems.push(...crossCheck(env, config));
  if (problems.length > 0) throw invalidSettings(problems);
  return Object.freeze(config);
}

type SettingValue<Name extends SettingName> =
  | z.output<(typeof SETTINGS)[Name]["schema"]>
  | ((typeof SETTINGS)[Name]["default"] extends null ? null : never);

/** What is wrong with it goes to `problems`; the value returned then is of no use. */
function readSetting<Name extends SettingName>(
  env: Environment,
  name: Name,
  problems: Problem[],
): SettingValue<Name> {
  const setting: Setting = SETTINGS[name];
  const given = env[name]?.trim() ?? "";
  const value = given === "" ? setting.default : given;
  if (value === null) return null as SettingValue<Name>;
  const parsed = setting.schema.safeParse(value);
  if (!parsed.success && setting.saysWhy === true) {
    problems.push(...parsed.error.issues.map(({ message }) => ({ field: name, message })));
  } else if (!parsed.success) {
    const shown = setting.secret === true ? "its value (not shown)" : JSON.stringify(given);
    problems.push({ field: name, message: `${shown} is not accepted; use ${setting.accepts}` });
  }
  return parsed.data as SettingValue<Name>;
}

function crossCheck(env: Environment, config: Config): Problem[] {
  const problems: Problem[] = [];
  const isSet = (name: SettingName) => (env[name]?.trim() ?? "") !== "";
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
  if (isSet("API_TOKENS") && isSet("API_TOKENS_FILE")) {
    problems.push({ field: "API_TOKENS_FILE", message: "is set beside API_TOKENS; one of them is accepted" });
  }
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

function invalidSettings(problems: readonly Problem[]): ElasticJobError {
  const lines = problems.map(({ field, message }) => `  ${field}: ${message}`);
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return new ElasticJobError("invalid_argument", [`the settings have ${count}:`, ...lines].join("\n"));
}
