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

/**
 * How many names the objects of parsed JSON have; NaN: something in it is for `findFault` to tell. It is quick, and
 * does not look at strings.
 */
export function countNames(json: unknown, levels: number): number {
  if (typeof json === "number") return Number.isFinite(json) ? 0 : Number.NaN;
  if (typeof json !== "object" || json === null) return 0;
  if (levels === 0) return Number.NaN;
  let names = 0;
  if (Array.isArray(json)) {
    for (const value of json) names += countNames(value, levels - 1);
    return names;
  }
  const object = json as Readonly<Record<string, unknown>>;
  // All names of parsed JSON are its own. A list of them, or of the values, would be made for each payload.
  for (const name in object) names += 1 + countNames(object[name], levels - 1);
  return names;
}

/** The first fault of parsed JSON that may have so many levels; null: there is none. `strings`: looks at each string too, which few texts need. */
export function findFault(json: unknown, levels: number, strings: boolean): FoundFault | null {
  const walk = new Walk(strings);
  const fault = walk.faultIn(json, levels);
  return fault === null ? null : { fault, path: pathOf(walk.steps.toReversed()) };
}

class Walk {
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

/** Names and places in lists, from the whole to what is meant. */
export function pathOf(steps: readonly (string | number)[]): string {
  const shown = steps.slice(0, MAX_STEPS);
  const path = shown.map((step) =>
    typeof step === "string" && PLAIN_NAME.test(step) ? `.${step}` : `[${JSON.stringify(cut(step))}]`,
  );
  return path.join("").replace(/^\./, "") + (steps.length > MAX_STEPS ? "…" : "");
}

function cut(step: string | number): string | number {
  return typeof step === "string" && step.length > 40 ? `${step.slice(0, 40)}…` : step;
}
