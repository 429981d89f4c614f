/**
 * Takes known secrets out of what jobs leave behind: an output, an error, a line of the log. What a handler writes in a form
 * of its own (backwards, encrypted) is its own affair.
 */
import { endOfString } from "../core/json/json-strings.ts";
import { createFormSearch } from "./form-search.ts";
import { secretForms } from "./secret-forms.ts";
import { createShortenedForms, hasEllipsis, type Remainder } from "./shortened-forms.ts";

/** A secret's name, for people, and its value. */
export type NamedSecret = readonly [name: string, value: string];

export interface Scrubber {
  /** With `[secret NAME]` in place of each secret. */
  text(text: string): string;
  /** The same for JSON text, which stays JSON. */
  json(text: string): string;
  /** At most so many characters of a text's beginning, none of them a part of a secret that goes on behind them. */
  head(text: string, length: number): string;
  /** For a text that was cut at its end, where the beginning of a secret may be left. */
  cut(text: string): string;
}

/** Where a string of JSON begins, or a whole number. */
const STRING_OR_NUMBER = /"|-?\d[\d.eE+-]*/g;
/** What another scrubber has left of a secret that it knows as well. */
const MARKS_ALONE = /^(?:\[secret [^\]]*\]\W{0,2})+$/;

export const NOTHING_KNOWN: Scrubber = {
  text: (text) => text,
  json: (text) => text,
  head: (text, length) => text.slice(0, length),
  cut: (text) => text,
};

/** `first`: a scrubber that texts have been through before, and that may have replaced a part of a secret. */
export function createScrubber(secrets: Iterable<NamedSecret>, first: Scrubber = NOTHING_KNOWN): Scrubber {
  const known = [...secrets];
  const marks = marksOf(known, first);
  if (marks.size === 0) return NOTHING_KNOWN;
  const forms = [...marks.keys()];
  const longest = forms.reduce((most, { length }) => Math.max(most, length), 0);
  const search = createFormSearch(forms);
  const escaped = escapedForms(forms);
  const searchJson = escaped.length === 0 ? search : createFormSearch([...forms, ...escaped]);
  const shortened = createShortenedForms(
    forms,
    known.map(([, value]) => value).filter((value) => marks.has(value)),
  );

  function text(given: string): string {
    const all: Remainder[] = hasEllipsis(given) ? shortened.besideEllipses(given) : [];
    for (const { at, form } of search.all(given)) all.push({ at, form, length: form.length });
    return all.length === 0 ? given : without(given, all, marks);
  }

  function json(given: string): string {
    if (!searchJson.has(given) && !hasEllipsis(given)) return given;
    let scrubbed = "";
    let done = 0;
    // Not by one expression for whole strings: long ones exceed the stack that it is matched with.
    STRING_OR_NUMBER.lastIndex = 0;
    for (let found = STRING_OR_NUMBER.exec(given); found !== null; found = STRING_OR_NUMBER.exec(given)) {
      const isString = found[0] === '"';
      const end = isString ? endOfString(given, found.index) : STRING_OR_NUMBER.lastIndex;
      STRING_OR_NUMBER.lastIndex = end;
      const token = given.slice(found.index, end);
      const value = isString ? (JSON.parse(token) as string) : token;
      const clean = text(value);
      if (clean === value) continue;
      // A number becomes a string: a mark is none.
      scrubbed += given.slice(done, found.index) + JSON.stringify(clean);
      done = end;
    }
    return done === 0 ? given : scrubbed + given.slice(done);
  }

  function head(given: string, length: number): string {
    const within = given.slice(0, length + longest);
    const scrubbed = text(within);
    // Marks may be shorter than what they stand for, and what was cut off here comes into view.
    return (within.length === given.length ? scrubbed : cut(scrubbed)).slice(0, length);
  }

  function cut(given: string): string {
    const left = shortened.beginningBefore(given, given.length);
    return left === null ? given : without(given, [left], marks);
  }

  return { text, json, head, cut };
}

/** Each form of the secrets, with the mark that stands for it. */
function marksOf(secrets: readonly NamedSecret[], first: Scrubber): ReadonlyMap<string, string> {
  const marks = new Map<string, string>();
  for (const [name, value] of secrets) {
    const mark = `[secret ${name}]`;
    for (const form of secretForms(value)) {
      const left = first.text(form);
      for (const each of [form, left]) if (!MARKS_ALONE.test(each) && !marks.has(each)) marks.set(each, mark);
    }
  }
  return marks;
}

/** How strings of JSON have those forms that they cannot have as they are. */
function escapedForms(forms: readonly string[]): string[] {
  const known = new Set(forms);
  const escaped = forms.map((form) => JSON.stringify(form).slice(1, -1)).filter((form) => !known.has(form));
  return [...new Set(escaped)];
}

/** Where finds overlap, nothing of either is left; of one within another, the outer one's mark tells. */
function without(text: string, found: readonly Remainder[], marks: ReadonlyMap<string, string>): string {
  const inOrder = found.toSorted((a, b) => a.at - b.at || b.length - a.length);
  let scrubbed = "";
  let done = 0;
  let mark: string | undefined;
  for (const { at, form, length } of inOrder) {
    if (at + length <= done) continue;
    const next = marks.get(form);
    const overlaps = at < done && next === mark;
    scrubbed += text.slice(done, Math.max(at, done)) + (overlaps ? "" : next);
    mark = next;
    done = at + length;
  }
  return scrubbed + text.slice(done);
}
