/**
 * Guards that are SQL: each condition of a WHERE is made to hold always, with its placeholders in their
 * places, and each lock of a read is dropped.
 */
import { type ESTree, Visitor } from "vite";
import { type Mutant, oneLine } from "./mutant.ts";

/** Between two conditions, or between them and what is around. */
const AROUND = /\b(?:WHERE|AND|ON|SET|LOCK IN SHARE MODE)\b/g;
const LOCK = /\s*\bLOCK IN SHARE MODE\b/g;

export function sqlMutants(source: string, program: ESTree.Program): Mutant[] {
  const mutants: Mutant[] = [];
  const add = (start: number, end: number, replacement: string) => {
    const original = source.slice(start, end);
    mutants.push({
      start,
      end,
      replacement,
      what: `SQL: ${oneLine(original)} → ${oneLine(replacement) || "nothing"}`,
    });
  };
  new Visitor({
    TemplateLiteral(node) {
      inSql(node.start + 1, masked(node));
    },
    Literal(node) {
      if (typeof node.value === "string") inSql(node.start + 1, source.slice(node.start + 1, node.end - 1));
    },
  }).visit(program);
  return mutants;

  /** The text of a template, with what it takes in replaced by as many letters. */
  function masked({ start, end, expressions }: ESTree.TemplateLiteral): string {
    let text = source.slice(start + 1, end - 1);
    for (const expression of expressions) {
      const from = expression.start - 2 - start - 1;
      const length = expression.end - expression.start + 3;
      text = text.slice(0, from) + "x".repeat(length) + text.slice(from + length);
    }
    return text;
  }

  function inSql(offset: number, sql: string): void {
    const marks = [...sql.matchAll(AROUND)];
    // " AND " alone joins conditions that are made elsewhere.
    if (!marks.some(([word]) => word === "WHERE" || word === "AND") || sql.trim() === "AND") return;
    const edges = marks.map((mark) => ({
      word: mark[0],
      start: mark.index,
      end: mark.index + mark[0].length,
    }));
    // What stands before the first word is a condition only where no WHERE begins them.
    const [first] = edges;
    if (first?.word === "AND" && sql.slice(0, first.start).includes("="))
      condition(offset, sql, 0, first.start);
    for (const [index, { word, end }] of edges.entries()) {
      if (word === "WHERE" || word === "AND" || word === "ON")
        condition(offset, sql, end, edges[index + 1]?.start ?? sql.length);
    }
    for (const { 0: text, index } of sql.matchAll(LOCK))
      add(offset + index, offset + index + text.length, "");
  }

  function condition(offset: number, sql: string, from: number, to: number): void {
    const text = sql.slice(from, to);
    const start = offset + from + (text.length - text.trimStart().length);
    const end = start + text.trim().length;
    const original = source.slice(start, end);
    // A half of BETWEEN … AND, or nothing.
    if (original === "" || /^[\w?]+$/.test(original)) return;
    add(start, end, `(${original} OR 1 = 1)`);
  }
}
