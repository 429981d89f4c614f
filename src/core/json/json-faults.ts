/** What is wrong with JSON that can be parsed, and where: what no double or no UTF-8 carries, and what is too deep. */

export type Fault = "deep" | "infinite" | "surrogate";

export interface FoundFault {
  readonly fault: Fault;
  /** Such as `items[3].id`; empty: it is the whole value. */
  readonly path: string;
}

/** Levels of arrays and objects that JSON text may have: parsers and writers of other languages go no deeper than some thousand. */
export const MAX_TEXT_LEVELS = 1_000;

/** Half of a surrogate pair, as JSON can say it: UTF-8 cannot. Pairs are found as well. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** Whether strings of this text are worth looking at one by one. It is quick. */
export function mayHoldSurrogates(text: string): boolean {
  return SURROGATE_ESCAPE.test(text);
}

/** What was seen in parsed JSON. */
export interface Inspected {
  /** The first one; null: there is none. */
  readonly fault: FoundFault | null;
  /** How many names its objects have, if there is no fault. */
  readonly names: number;
}

/** Looks at parsed JSON of so many levels. `strings`: at each string too, which few texts need. */
export function inspectJson(json: unknown, levels: number, strings: boolean): Inspected {
  const walk = new Walk(strings);
  const fault = walk.faultIn(json, levels);
  const found = fault === null ? null : { fault, path: pathOf(walk.steps) };
  return { fault: found, names: walk.names };
}

class Walk {
  names = 0;
  /** From the fault up to the whole. */
  readonly steps: (string | number)[] = [];
  private readonly strings: boolean;

  constructor(strings: boolean) {
    this.strings = strings;
  }

  faultIn(json: unknown, levels: number): Fault | null {
    if (typeof json === "number") return Number.isFinite(json) ? null : "infinite";
    if (typeof json === "string") return this.strings && !json.isWellFormed() ? "surrogate" : null;
    if (typeof json !== "object" || json === null) return null;
    if (levels === 0) return "deep";
    const isList = Array.isArray(json);
    const values: unknown[] = isList ? json : Object.values(json);
    if (!isList) this.names += values.length;
    for (let index = 0; index < values.length; index++) {
      const fault = this.faultIn(values[index], levels - 1);
      if (fault === null) continue;
      this.steps.push(isList ? index : (Object.keys(json)[index] ?? ""));
      return fault;
    }
    return this.strings && !isList ? this.faultInNames(Object.keys(json)) : null;
  }

  private faultInNames(names: readonly string[]): Fault | null {
    const name = names.find((each) => !each.isWellFormed());
    if (name === undefined) return null;
    this.steps.push(name);
    return "surrogate";
  }
}

const MAX_STEPS = 8;
const PLAIN_NAME = /^[\w$-]{1,40}$/;

function pathOf(steps: readonly (string | number)[]): string {
  const shown = steps.toReversed().slice(0, MAX_STEPS);
  const path = shown.map((step) =>
    typeof step === "string" && PLAIN_NAME.test(step) ? `.${step}` : `[${JSON.stringify(cut(step))}]`,
  );
  return path.join("").replace(/^\./, "") + (steps.length > MAX_STEPS ? "…" : "");
}

function cut(step: string | number): string | number {
  return typeof step === "string" && step.length > 40 ? `${step.slice(0, 40)}…` : step;
}
