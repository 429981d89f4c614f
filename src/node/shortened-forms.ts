/**
 * Finds what is left of forms in texts that somebody has shortened: a beginning at a text's end or before an ellipsis, as Node
 * has in "Received type string ('sk_live_51N...')"; and an excerpt behind one, as V8 has in `..."e_51NqV"... is not valid JSON`.
 */
import type { Found } from "./form-search.ts";
import { MIN_SECRET_CHARACTERS } from "./secret-forms.ts";

/** So much of a secret is taken for its beginning: a mark too many is no loss where a text was shortened. */
const MIN_BEGINNING_CHARACTERS = 4;
/** What every text of a kind begins with tells nothing: `https://`, `-----BEGIN`, brackets and space, the mark of another secret. */
const COMMON_BEGINNING = /^(?:-----[A-Z ]*-*|[a-z]+:\/*|[^\p{L}\p{N}]*|\[sec[^\]]*\]?)$/u;
const ELLIPSIS = /\.{3,}|…/g;
/** May stand between an ellipsis and what it has cut; strings within strings have their quotes escaped. */
const BETWEEN = /[\s\\"'`]/;
const MAX_BETWEEN = 3;
/** What an excerpt begins with, also in a string within a string. */
const QUOTE = /^\\{0,3}"/;
const MAX_QUOTE = 4;
/** More places than this are not looked at, and not farther back: texts with that many were not shortened by what reports errors. */
const MAX_ELLIPSES = 1_000;
const MAX_EXCERPTS = 100;
const MAX_BACK = 8_192;

/** What is left of a form: so many characters, from `at` on. */
export interface Remainder extends Found {
  readonly length: number;
}

export interface ShortenedForms {
  /** The longest beginning of a form that a text has right before `end`. */
  beginningBefore(text: string, end: number): Remainder | null;
  /** All beside the ellipses of a text. */
  besideEllipses(text: string): Remainder[];
}

export function hasEllipsis(text: string): boolean {
  return text.includes("...") || text.includes("…");
}

/** `values`: of which an excerpt may be shown; JSON is parsed as it is. */
export function createShortenedForms(forms: readonly string[], values: readonly string[]): ShortenedForms {
  const longest = forms.reduce((most, { length }) => Math.max(most, length), 0);
  const sorted = forms.toSorted();
  const openings = new Set(forms.map((form) => form.slice(0, MIN_BEGINNING_CHARACTERS)));
  // Most places are told apart from a beginning by their first two characters, for a fiftieth of what a look into the set costs.
  const pairs = new Uint8Array(1 << 16);
  for (const form of forms) pairs[pairAt(form, 0)] = 1;

  function beginningBefore(text: string, end: number, from = 0): Remainder | null {
    const first = Math.max(from, end - longest, end - MAX_BACK);
    for (let at = first; at <= end - MIN_BEGINNING_CHARACTERS; at++) {
      if (pairs[pairAt(text, at)] === 0) continue;
      if (!openings.has(text.slice(at, at + MIN_BEGINNING_CHARACTERS))) continue;
      const left = text.slice(at, end);
      const form = firstNotBefore(sorted, left);
      if (form?.startsWith(left) === true && !COMMON_BEGINNING.test(left)) {
        return { at, form, length: left.length };
      }
    }
    return null;
  }

  /** Where an excerpt begins with what stands somewhere in a form. */
  function excerptAt(text: string, at: number): Remainder | null {
    const begin = text.slice(at, at + MIN_SECRET_CHARACTERS);
    if (begin.length < MIN_SECRET_CHARACTERS) return null;
    let best: Remainder | null = null;
    for (const form of values) {
      const found = form.indexOf(begin);
      if (found === -1) continue;
      let length = begin.length;
      while (at + length < text.length && text[at + length] === form[found + length]) length++;
      if (length > (best?.length ?? 0)) best = { at, form, length };
    }
    return best;
  }

  function besideEllipses(text: string): Remainder[] {
    const found: (Remainder | null)[] = [];
    let excerpts = 0;
    let behind = 0;
    ELLIPSIS.lastIndex = 0;
    for (let count = 0; count < MAX_ELLIPSES; count++) {
      const place = ELLIPSIS.exec(text);
      if (place === null) break;
      let end = place.index;
      let before = beginningBefore(text, end, behind);
      for (let back = 0; before === null && back < MAX_BETWEEN && BETWEEN.test(text[end - 1] ?? ""); back++) {
        before = beginningBefore(text, --end, behind);
      }
      found.push(before);
      // Only so far back from the next one: a text that is full of them costs no more than its length.
      behind = ELLIPSIS.lastIndex;
      const quote = QUOTE.exec(text.slice(behind, behind + MAX_QUOTE));
      if (quote === null || ++excerpts > MAX_EXCERPTS) continue;
      found.push(excerptAt(text, behind + quote[0].length));
    }
    return found.filter((each) => each !== null);
  }

  return { beginningBefore, besideEllipses };
}

/** Where all that begin like a text stand side by side, the first of them. */
function firstNotBefore(sorted: readonly string[], text: string): string | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return sorted[low];
}

function pairAt(text: string, at: number): number {
  return (text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 8)) & 0xffff;
}
