/** JSON text, string by string. The text is JSON: so much is known before. */
import { pathOf } from "./json-faults.ts";

/** Where the string that begins at this quote is over. */
export function endOfString(text: string, quote: number): number {
  for (let end = quote + 1; ; end++) {
    end = text.indexOf('"', end);
    if (end === -1) return text.length;
    let slash = end - 1;
    while (text[slash] === "\\") slash--;
    if ((end - slash) % 2 === 1) return end + 1;
  }
}

const NAME_OR_BRACE = /["{}]/g;
const COLON = /\s*:/y;

/** A name that an object has twice: `JSON.parse` would drop the first one's value. Null: there is none. */
export function repeatedName(text: string): string | null {
  const open: Set<string>[] = [];
  NAME_OR_BRACE.lastIndex = 0;
  for (let found = NAME_OR_BRACE.exec(text); found !== null; found = NAME_OR_BRACE.exec(text)) {
    if (found[0] === "{") open.push(new Set());
    else if (found[0] === "}") open.pop();
    else {
      const end = endOfString(text, found.index);
      NAME_OR_BRACE.lastIndex = end;
      COLON.lastIndex = end;
      if (!COLON.test(text)) continue;
      const name = JSON.parse(text.slice(found.index, end)) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return null;
}

const TOKEN = /["{}[\],]/g;

/** Where `repeatedName` is, such as `payload.items[3].id`; null: there is none. Slower, as it looks at each value. */
export function repeatedPath(text: string): string | null {
  /** Of each array and object that is open, where in it this is, and the names that an object has had. */
  const open: { step: string | number; readonly names: Set<string> | null }[] = [];
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text)) {
    const [token] = found;
    const inner = open.at(-1);
    if (token === "{") open.push({ step: "", names: new Set() });
    else if (token === "[") open.push({ step: 0, names: null });
    else if (token === "}" || token === "]") open.pop();
    else if (token === ",") {
      if (typeof inner?.step === "number") inner.step++;
    } else {
      const end = endOfString(text, found.index);
      TOKEN.lastIndex = end;
      COLON.lastIndex = end;
      if (inner === undefined || !COLON.test(text)) continue;
      inner.step = JSON.parse(text.slice(found.index, end)) as string;
      if (inner.names?.has(inner.step)) return pathOf(open.map(({ step }) => step));
      inner.names?.add(inner.step);
    }
  }
  return null;
}

/** How many names the text has at most: no fewer than its objects have, and seldom more. It is quick. */
export function mostNames(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at !== -1; at = text.indexOf(":", at + 1)) {
    // A quote, or space: others are no end of a name.
    if (text.charCodeAt(at - 1) <= QUOTE) count++;
  }
  return count;
}
const QUOTE = 0x22;
