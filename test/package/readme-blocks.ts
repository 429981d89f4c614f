/** The blocks of code in a package's README. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Block {
  readonly source: string;
  /** What follows it, as it is printed; empty: nothing. */
  readonly output: string;
}

export function readmeBlocks(folder: string): Block[] {
  const path = join(import.meta.dirname, "../../packages", folder, "README.md");
  const found = readFileSync(path, "utf8").matchAll(/```ts\n(.*?)```(?:\n\n```\n(.*?)```)?/gs);
  return [...found].map(([, source = "", output = ""]) => ({ source, output }));
}
