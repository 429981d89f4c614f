/**
 * Guards that are SQL. Each condition is made to hold always, not left out: a statement that has lost a placeholder
 * fails for the values that are bound to it, whatever its tests ask. And each lock of a read is dropped.
 */
import type { AstNode, Edit } from "./edit.ts";

/** What is between two conditions, or around them. */
const AROUND = /\b(?:WHERE|AND|ON|SET|LOCK IN SHARE MODE)\b/g;
const LOCK = /\s*\bLOCK IN SHARE MODE\b/g;

/** `node`: a template or a string. */
export function sqlEdits(node: AstNode, source: string): Edit[] {
  const sql = textOf(node, source);
  const words = [...sql.matchAll(AROUND)];
  // " AND " alone joins conditions that are made elsewhere.
  if (!words.some(([word]) => word === "WHERE" || word === "AND") || sql.trim() === "AND") return [];
  const offset = node.start + 1;
  const edits = words.flatMap(({ 0: word, index }, which) => {
    if (word !== "WHERE" && word !== "AND" && word !== "ON") return [];
    const from = index + word.length;
    return conditionEdits(source, offset + from, sql.slice(from, words[which + 1]?.index));
  });
  const [first] = words;
  // What stands before the first AND is a condition too where no WHERE begins them.
  if (first?.[0] === "AND" && sql.slice(0, first.index).includes("="))
    edits.push(...conditionEdits(source, offset, sql.slice(0, first.index)));
  const locks = [...sql.matchAll(LOCK)].map(({ 0: text, index }) => ({
    start: offset + index,
    end: offset + index + text.length,
    text: "",
    change: "without its lock",
  }));
  return [...edits, ...locks];
}

function conditionEdits(source: string, from: number, masked: string): Edit[] {
  const start = from + (masked.length - masked.trimStart().length);
  const end = start + masked.trim().length;
  const condition = source.slice(start, end);
  // Nothing, or the end of a BETWEEN.
  if (/^[\w?]*$/.test(condition)) return [];
  const change = `whatever ${condition.replace(/\s+/g, " ")}`;
  return [{ start, end, text: `(${condition} OR 1 = 1)`, change }];
}

/** What stands in it, with each expression of a template replaced by as many letters. */
function textOf(node: AstNode, source: string): string {
  let text = source.slice(node.start + 1, node.end - 1);
  for (const { start, end } of (node["expressions"] ?? []) as AstNode[]) {
    const from = start - "${".length - node.start - 1;
    const length = end - start + "${}".length;
    text = text.slice(0, from) + "x".repeat(length) + text.slice(from + length);
  }
  return text;
}
