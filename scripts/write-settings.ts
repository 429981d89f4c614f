/** Writes the README's table of settings from src/config/settings.ts. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeSettings } from "../src/config.ts";

const README = join(import.meta.dirname, "../README.md");
const START = "| setting | default | |\n| --- | --- | --- |\n";

const rows = describeSettings().map(
  ({ name, default: value, meaning }) =>
    `| \`${name}\` | ${value === "" ? "" : `\`${value}\``} | ${meaning} |\n`,
);
const readme = readFileSync(README, "utf8");
const start = readme.indexOf(START) + START.length;
const end = readme.indexOf("\n\n", start) + 1;
writeFileSync(README, readme.slice(0, start) + rows.join("") + readme.slice(end));
