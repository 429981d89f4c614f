/** compose.yaml against the settings that the program reads, and against .env.example. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { describeSettings, parseConfig, SECRET_VARIABLES } from "../../../src/config.ts";
import { KEEP_ALL } from "../../../src/core/state/retention.ts";

const ROOT = join(import.meta.dirname, "../../..");
const compose = readFileSync(join(ROOT, "compose.yaml"), "utf8");
const example = readFileSync(join(ROOT, ".env.example"), "utf8");

interface Services {
  readonly services: Readonly<
    Record<string, { readonly environment?: Readonly<Record<string, string | null>> }>
  >;
}
const { services } = parse(compose, { merge: true }) as Services;
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

/** What a node makes of compose.yaml under such a .env. */
function nodeConfig(env: Readonly<Record<string, string>>) {
  const entries = Object.entries(services["node"]?.environment ?? {}).map(([name, value]) => [
    name,
    value === null
      ? env[name]
      : value.replace(VARIABLE, (_, variable: string, fallback: string) => env[variable] || fallback),
  ]);
  return parseConfig(Object.fromEntries(entries));
}
