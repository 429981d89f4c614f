/** compose.yaml against the settings that the program reads, and against .env.example. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { describeSettings, parseConfig, SECRET_VARIABLES } from "../../../src/config.ts";
import { KEEP_ALL } from "../../../src/core/state/retention.ts";
import { documentedGrants, documentedRedisRules } from "../../servers/least-rights.ts";

const ROOT = join(import.meta.dirname, "../../..");
const compose = readFileSync(join(ROOT, "compose.yaml"), "utf8");
const makeSecrets = readFileSync(join(ROOT, "deploy/compose/make-secrets.sh"), "utf8");
const example = readFileSync(join(ROOT, ".env.example"), "utf8");

interface Service {
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly privileged?: boolean;
  readonly security_opt?: readonly string[];
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, string | number>> } };
}
const { services, networks } = parse(compose, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
};
const settings = new Map([
  ...SECRET_VARIABLES.map((name) => [name, ""] as const),
  ...describeSettings().map(({ name, default: value }) => [name, value] as const),
]);

/** A variable that compose.yaml takes from .env, and its default; an empty one leaves it to the program. */
const VARIABLE = /\$\{(\w+):-([^}]*)\}/g;
const passed = Object.entries(services["node"]?.environment ?? {}).filter(([, value]) => value === null);
const taken = [
  ...[...compose.matchAll(VARIABLE)].map(([, name = "", value = ""]) => [name, value] as const),
  ...passed.map(([name]) => [name, ""] as const),
];

test("a node and the edge are given only settings that the program reads", () => {
  for (const service of ["node", "edge"]) {
    const names = Object.keys(services[service]?.environment ?? {});
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => !settings.has(name))).toEqual([]);
  }
});

test(".env.example has each variable that compose.yaml takes, and no other, with the default that holds", () => {
  const shown = [...example.matchAll(/^#([A-Z_]+)=(.*)$/gm)].map(([, name = "", value = ""]) => [
    name,
    value,
  ]);
  const holds = taken.map(([name, value]) => [name, value === "" ? (settings.get(name) ?? "") : value]);
  expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(holds));
  expect(shown).toHaveLength(new Set(taken.map(([name]) => name)).size);
});

test("what .env says of labels, hosts, the shell and history reaches a node, and each has its default without", () => {
  expect(nodeConfig({})).toMatchObject({
    labels: {},
    httpAllowedHosts: [],
    shellHandler: "off",
    retention: parseConfig({}).retention,
    auditRetention: parseConfig({}).auditRetention,
  });
  const env = {
    LABELS: "gpu=true,zone=a",
    HTTP_ALLOWED_HOSTS: "api.example.com",
    SHELL_HANDLER: "on",
    SHELL_SAME_USER: "on",
    RETENTION: "off",
    AUDIT_RETENTION: "rows=5000",
  };
  expect(nodeConfig(env)).toMatchObject({
    labels: { gpu: "true", zone: "a" },
    httpAllowedHosts: ["api.example.com"],
    shellHandler: "on",
    shellSameUser: "on",
    retention: KEEP_ALL,
    auditRetention: { ...parseConfig({}).auditRetention, rows: 5_000 },
  });
});

/** What each service has of its own, as `of` reads it. */
function each<T>(of: (service: Service) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(services).map(([name, service]) => [name, of(service)]));
}

test("no service has capabilities, can gain any, can write in its image, or has no limits", () => {
  for (const [name, service] of Object.entries(services)) {
    expect([name, service.cap_drop, service.cap_add, service.privileged]).toEqual([
      name,
      ["ALL"],
      undefined,
      undefined,
    ]);
    expect([name, service.read_only, service.security_opt]).toEqual([name, true, ["no-new-privileges:true"]]);
    const limits = Object.keys(service.deploy?.resources.limits ?? {});
    expect([name, limits]).toEqual([name, ["cpus", "memory", "pids"]]);
  }
});

test("each volume with secrets is mounted by those who need it alone, and only their maker can write there", () => {
  const secrets = ({ volumes = [] }: Service) => volumes.filter((volume) => volume.includes("-secrets:"));
  expect(each(secrets)).toEqual({
    "make-secrets": ["node", "migrate", "mysql", "redis"].map((name) => `${name}-secrets:/secrets/${name}`),
    migrate: ["migrate-secrets:/run/secrets/elastic-job:ro"],
    node: ["node-secrets:/run/secrets/elastic-job:ro"],
    edge: [],
    mysql: ["mysql-secrets:/run/secrets/mysql:ro"],
    redis: ["redis-secrets:/run/secrets/redis:ro"],
  });
});

test("no environment holds a password, and only what .env may say stands where a secret could", () => {
  const couldBeSecret = Object.values(services).flatMap(({ environment = {} }) =>
    Object.entries(environment).filter(([name]) => /PASSWORD|SECRET|TOKEN/.test(name)),
  );
  for (const [name, value] of couldBeSecret) {
    expect([name, value]).toEqual([
      name,
      name.endsWith("_FILE") ? expect.stringMatching("^/run/secrets/") : `\${${name}:-}`,
    ]);
  }
  expect(compose).not.toMatch(/:\/\/[^/\s@]*:[^/\s@]*@/);
});

test("edge and stores are in no network together, and the stores' has no way out", () => {
  expect(each(({ network_mode, networks: joined }) => joined ?? network_mode)).toEqual({
    "make-secrets": "none",
    migrate: ["stores"],
    node: ["callers", "stores"],
    edge: ["callers"],
    mysql: ["stores"],
    redis: ["stores"],
  });
  expect(networks).toEqual({ callers: null, stores: { internal: true } });
});

test("accounts in MySQL and Redis have the rights that docs/operating.md names, and no others", () => {
  const { nodeGrants, migrateGrants } = documentedGrants();
  const granted = [...makeSecrets.matchAll(/^GRANT (.*) ON \\`elastic\\\\_job\\`\.\* TO '(\w+)'@'%';$/gm)];
  expect(granted.map(([, rights, user]) => [user, rights])).toEqual([
    ["elastic_job", nodeGrants],
    ["elastic_job_migrate", migrateGrants],
  ]);
  expect(makeSecrets.match(/GRANT/g)).toHaveLength(2);
  const [, rules] = /^user elastic_job reset on #\$redis_hash (.*)$/m.exec(makeSecrets) ?? [];
  expect(rules).toBe(documentedRedisRules());
});

/** What a node makes of compose.yaml under such a .env. */
function nodeConfig(env: Readonly<Record<string, string>>) {
  const entries = Object.entries(services["node"]?.environment ?? {}).map(([name, value]) => [
    name,
    value === null
      ? env[name]
      : value.replace(VARIABLE, (_, variable: string, fallback: string) => env[variable] || fallback),
  ]);
  return parseConfig(Object.fromEntries(entries), 1, () => "a-password-from-a-file");
}
