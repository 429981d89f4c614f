/** The faults to plant in a file: each a small change of its text, at a place that its syntax tree shows. */
import { type ESTree, parseSync, Visitor } from "vite";
import { type Mutant, oneLine } from "./mutant.ts";
import { sqlMutants } from "./sql-mutants.ts";

/** A comparison becomes its neighbour, which differs at the bound alone, and its opposite. */
const FLIPPED: Readonly<Record<string, readonly string[]>> = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
};
const ARITHMETIC = new Set(["+", "-", "*", "/", ">>", "**"]);
const EXTREMES: Readonly<Record<string, string>> = { "Math.min": "Math.max", "Math.max": "Math.min" };

export function mutantsOf(path: string, source: string): Mutant[] {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors.map((error) => error.message).join("; ")}`);
  const mutants: Mutant[] = [];
  const text = (node: ESTree.Span) => source.slice(node.start, node.end);
  const replace = (node: ESTree.Span, replacement: string, name = text(node)) => {
    const what = `${oneLine(name)} → ${oneLine(replacement) || "nothing"}`;
    mutants.push({ start: node.start, end: node.end, replacement, what });
  };
  const negateUnlessCompared = (node: ESTree.Expression) => {
    if (node.type !== "BinaryExpression" && node.type !== "LogicalExpression")
      replace(node, `!(${text(node)})`);
  };
  new Visitor({
    BinaryExpression(node) {
      const { left, right, operator } = node;
      for (const flipped of FLIPPED[operator] ?? []) replace(node, `${text(left)} ${flipped} ${text(right)}`);
      if (!ARITHMETIC.has(operator) || isNumber(node)) return;
      for (const side of [left, right]) {
        const isOne = side.type === "Literal" && side.value === 1;
        if (isOne) replace(node, replaced(node, side, "0"));
        else if (isDuration(side) || isNumber(side))
          replace(node, replaced(node, side, `(3 * ${text(side)})`));
      }
    },
    CallExpression(node) {
      for (const argument of node.arguments)
        if (isDuration(argument)) replace(node, replaced(node, argument, `3 * ${text(argument)}`));
      const other = EXTREMES[text(node.callee)];
      if (other !== undefined) replace(node, replaced(node, node.callee, other));
    },
    VariableDeclarator({ id, init }) {
      if (id.type !== "Identifier" || !/^[A-Z][A-Z0-9_]*$/.test(id.name) || init === null) return;
      if (!isNumber(init)) return;
      replace(init, `3 * (${text(init)})`);
      if (text(init) !== "1") replace(init, `Math.ceil((${text(init)}) / 3)`);
    },
    IfStatement(node) {
      if (isExit(node.consequent))
        replace(node, node.alternate === null ? "" : text(node.alternate), `if (${text(node.test)}) …`);
      negateUnlessCompared(node.test);
    },
    ConditionalExpression(node) {
      negateUnlessCompared(node.test);
    },
    LogicalExpression(node) {
      if (node.operator === "??") return;
      // One condition of several is as if it were not there.
      const ignored = node.operator === "&&" ? "true" : "false";
      for (const side of [node.left, node.right])
        if (side.type !== "LogicalExpression") replace(node, replaced(node, side, ignored));
    },
  }).visit(program);
  if (path.includes("/mysql/")) mutants.push(...sqlMutants(source, program));
  return mutants.toSorted((a, b) => a.start - b.start);

  function replaced(whole: ESTree.Span, part: ESTree.Span, by: string): string {
    return source.slice(whole.start, part.start) + by + source.slice(part.end, whole.end);
  }
}

/** A name that ends in `Ms`: how long something may take. */
function isDuration(node: ESTree.Node): boolean {
  if (node.type === "Identifier") return node.name.endsWith("Ms");
  return node.type === "MemberExpression" && !node.computed && isDuration(node.property);
}

/** Of literals alone. */
function isNumber(node: ESTree.Node): boolean {
  if (node.type === "BinaryExpression") return isNumber(node.left) && isNumber(node.right);
  return node.type === "Literal" && typeof node.value === "number";
}

function isExit(node: ESTree.Statement): boolean {
  if (node.type === "BlockStatement") {
    const last = node.body.at(-1);
    return last !== undefined && isExit(last);
  }
  return ["ReturnStatement", "ContinueStatement", "BreakStatement", "ThrowStatement"].includes(node.type);
}
