import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeSettings } from "../../src/config.ts";

test("the README's table has every setting, with its default and meaning", () => {
  const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  for (const { name, default: value, meaning } of describeSettings()) {
    expect(readme).toContain(`| \`${name}\` | ${value === "" ? "" : `\`${value}\``} | ${meaning} |`);
  }
});
