import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import runtime from "../../runtime/package.json" with { type: "json" };
import { describeSettings } from "../../src/config.ts";

const textOf = (path: string) => readFileSync(join(import.meta.dirname, "../..", path), "utf8");

test(".nvmrc names the Node on which everything runs", () => {
  const [version, ...others] = new Set(Object.values(runtime.optionalDependencies));
  expect(others).toEqual([]);
  expect(textOf(".nvmrc").trim()).toBe(version);
  expect(textOf("CONTRIBUTING.md")).toContain(`Node ${version}`);
});

test("CONTRIBUTING names files and scripts that there are", () => {
  const text = textOf("CONTRIBUTING.md");
  for (const [, path = ""] of text.matchAll(/`((?:src|test|docs|proto)\/[\w./-]+)`/g))
    expect([path, existsSync(join(import.meta.dirname, "../..", path))]).toEqual([path, true]);
  const scripts = Object.keys(manifest.scripts);
  for (const [, script = ""] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toContain(script);
});

test("docs/architecture.md names files that there are", () => {
  const files = globSync("src/**/*.ts", { cwd: join(import.meta.dirname, "../..") });
  const named = [...textOf("docs/architecture.md").matchAll(/`([\w/-]+\.ts)`/g)].map(([, path = ""]) => path);
  const isThere = (path: string) => files.some((file) => file.endsWith(`/${path}`));
  expect(named.filter((path) => !path.startsWith("scripts/") && !isThere(path))).toEqual([]);
  expect(named.length).toBeGreaterThan(50);
});

test("the README's table has every setting, with its default and meaning", () => {
  const readme = textOf("README.md");
  for (const { name, default: value, meaning } of describeSettings()) {
    expect(readme).toContain(`| \`${name}\` | ${value === "" ? "" : `\`${value}\``} | ${meaning} |`);
  }
});
