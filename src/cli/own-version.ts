import { readFileSync } from "node:fs";

/** Read, not imported: the compiler would take a module from outside src into what it emits. */
export function ownVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
