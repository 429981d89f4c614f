/**
 * The mutants of a source file: each is the file with one place changed so that a guard is weaker or wrong. Comparisons
 * are moved by one and turned around, early returns, operands of && and ||, and calls dropped, bounds scaled, and the
 * conditions of SQL made to hold always.
 */
import { parseSync } from "vite";
import type { AstNode, Edit } from "./edit.ts";
import { sqlEdits } from "./sql-edits.ts";

export interface Mutant {
  readonly line: number;
  /** The line as it is, without indentation: how the list of equivalents names the place. */
  readonly text: string;
  /** In words. */
  readonly change: string;
  readonly source: string;
}

/** To the neighbour at the boundary, and to the opposite. */
const COMPARISONS: Readonly<Record<string, readonly string[]>> = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
};
const LEAVES = new Set(["ReturnStatement", "ContinueStatement", "BreakStatement", "ThrowStatement"]);
export function makeMutants(path: string, source: string): Mutant[] {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors.map((error) => error.message).join("; ")}`);
  const edits: Edit[] = [];
  visit(program as unknown as AstNode, (node, parents) => edits.push(...editsOf(node, parents, source)));
  return edits
    .toSorted((a, b) => a.start - b.start)
    .map(({ start, end, text, change }) => {
      const lineStart = source.lastIndexOf("\n", start - 1) + 1;
      const lineEnd = source.indexOf("\n", start);
      return {
        line: source.slice(0, start).split("\n").length,
        text: source.slice(lineStart, lineEnd < 0 ? undefined : lineEnd).trim(),
        change,
        source: source.slice(0, start) + text + source.slice(end),
      };
    });
}

function editsOf(node: AstNode, parents: readonly AstNode[], source: string): Edit[] {
  switch (node.type) {
    case "BinaryExpression":
      return comparisonEdits(node, source);
    case "LogicalExpression":
      return operandEdits(node, source);
    case "ExpressionStatement":
      return isCall(node, source) ? [{ ...whole(node), text: ";", change: "call dropped" }] : [];
    case "IfStatement":
      return isEarlyReturn(node) ? [{ ...whole(node), text: ";", change: "early return dropped" }] : [];
    case "Literal":
      if (typeof node["value"] === "string") return sqlEdits(node, source);
      return isBound(node, parents) ? scaled(node) : [];
    case "TemplateLiteral":
      return sqlEdits(node, source);
    default:
      return [];
  }
}

function comparisonEdits(node: AstNode, source: string): Edit[] {
  const operator = String(node["operator"]);
  const left = node["left"] as AstNode;
  const start = source.indexOf(operator, left.end);
  return (COMPARISONS[operator] ?? []).map((other) => ({
    start,
    end: start + operator.length,
    text: other,
    change: `${operator} becomes ${other}`,
  }));
}

/** Of several in a row each once: the left one of a node is then such a node itself. */
function operandEdits(node: AstNode, source: string): Edit[] {
  const operator = String(node["operator"]);
  if (operator !== "&&" && operator !== "||") return [];
  const left = node["left"] as AstNode;
  const right = node["right"] as AstNode;
  const withoutRight = { start: left.end, end: right.end, text: "", change: without(right, source) };
  if (left.type === "LogicalExpression" && left["operator"] === operator) return [withoutRight];
  const withoutLeft = { start: left.start, end: right.start, text: "", change: without(left, source) };
  return [withoutLeft, withoutRight];
}

function without({ start, end }: AstNode, source: string): string {
  return `without ${source.slice(start, end).replace(/\s+/g, " ")}`;
}

/** A call for what it does, awaited or not. What is only logged guards nothing. */
function isCall(statement: AstNode, source: string): boolean {
  let node = statement["expression"] as AstNode;
  while (["AwaitExpression", "UnaryExpression", "ChainExpression"].includes(node.type))
    node = (node["argument"] ?? node["expression"]) as AstNode;
  if (node.type !== "CallExpression") return false;
  const { start, end } = node["callee"] as AstNode;
  return !/\blogger\.\w+$/.test(source.slice(start, end));
}

/** An `if` without an `else` that only leaves, whatever else it does before. */
function isEarlyReturn(node: AstNode): boolean {
  if (node["alternate"] !== null && node["alternate"] !== undefined) return false;
  const consequent = node["consequent"] as AstNode;
  const last = consequent.type === "BlockStatement" ? (consequent["body"] as AstNode[]).at(-1) : consequent;
  return last !== undefined && LEAVES.has(last.type);
}

/** A number in a constant of the file, or one that a time or an amount is multiplied by, divided by or moved by. */
function isBound(node: AstNode, parents: readonly AstNode[]): boolean {
  if (typeof node["value"] !== "number" || node["value"] <= 1) return false;
  const parent = parents.at(-1);
  if (parent?.type === "BinaryExpression") {
    return ["*", "/", "+", "-"].includes(String(parent["operator"]));
  }
  return parent?.type === "VariableDeclarator" && /^[A-Z_0-9]+$/.test(nameOf(parent["id"]));
}

function scaled(node: AstNode): Edit[] {
  return [3, 1 / 3].map((factor) => {
    const value = Number((Number(node["value"]) * factor).toFixed(3));
    return { ...whole(node), text: String(value), change: `${String(node["value"])} becomes ${value}` };
  });
}

function nameOf(id: unknown): string {
  return String((id as AstNode)["name"] ?? "");
}

function whole({ start, end }: AstNode): { start: number; end: number } {
  return { start, end };
}

function visit(
  node: AstNode,
  take: (node: AstNode, parents: readonly AstNode[]) => void,
  parents: readonly AstNode[] = [],
): void {
  take(node, parents);
  const below = [...parents, node];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === "object" && child !== null && "type" in child) {
        visit(child as AstNode, take, below);
      }
    }
  }
}
