/** JSON text, string by string. The text is JSON: so much is known before. */

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
