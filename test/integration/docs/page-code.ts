/** The code that pages show, as their readers copy it. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../../..");

/** Of these languages a reader runs or sends what he reads. Blocks without one, and `console`, show what was printed. */
const CODE = ["ts", "js", "sh", "json", "sql", "yaml", "python", "java", "dockerfile"] as const;

export type Language = (typeof CODE)[number];

export interface Block {
  readonly page: string;
  readonly language: Language;
  /** Below which it stands. */
  readonly heading: string;
  readonly line: number;
  /** The file that the line above it names; null: none. */
  readonly file: string | null;
  readonly text: string;
  /** What is shown right after it; empty: nothing. */
  readonly output: string;
}

export function pages(): string[] {
  return [
    "README.md",
    ...globSync(["docs/*.md", "packages/*/README.md", "examples/*/README.md"], { cwd: ROOT }),
  ].sort();
}

/** In the order of the page. */
export function blocksOf(page: string): Block[] {
  const lines = readFileSync(join(ROOT, page), "utf8").split("\n");
  const blocks: (Block & { readonly end: number })[] = [];
  let heading = "";
  for (let line = 0; line < lines.length; line++) {
    const text = lines[line] ?? "";
    if (text.startsWith("#")) heading = text.replace(/^#+ /, "");
    const [, indent = "", language = ""] = /^( *)```(\w*)$/.exec(text) ?? [];
    if (!text.trimStart().startsWith("```")) continue;
    const end = lines.indexOf(`${indent}\`\`\``, line + 1);
    if (end < 0) throw new Error(`${page}:${line + 1}: a block without an end`);
    const content = lines.slice(line + 1, end).map((each) => each.slice(indent.length));
    const joined = content.map((each) => `${each}\n`).join("");
    const before = blocks.at(-1);
    const [, file = null] = /`([\w-]+\.m?ts)`/.exec(lines[line - 2] ?? "") ?? [];
    if (isCode(language))
      blocks.push({ page, language, heading, line: line + 1, file, text: joined, output: "", end });
    else if (language === "" && before !== undefined && line === before.end + 2) {
      blocks[blocks.length - 1] = { ...before, output: joined };
    }
    line = end;
  }
  return blocks;
}

function isCode(language: string): language is Language {
  return CODE.some((each) => each === language);
}

/** What a reader calls the file: its first line says so, or the line above it; else a name of its own. */
export function fileNameOf({ text, line, file }: Block): string {
  const [, named] = /^\/\/ ([\w-]+(?:\.test)?\.m?ts)\b/.exec(text) ?? [];
  return (
    named ?? file ?? (/from "(node:test|vitest)"/.test(text) ? `block-${line}.test.mts` : `block-${line}.mts`)
  );
}
