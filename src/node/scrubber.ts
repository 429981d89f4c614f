/**
 * Takes known secrets out of what jobs leave behind: an output, an error, a line of the log. What a handler writes in a form
 * of its own (backwards, encrypted) is its own affair.
 */
import { endOfString } from "../core/json/json-strings.ts";
import { MIN_SECRET_CHARACTERS, secretForms } from "./secret-forms.ts";

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

interface Form {
  readonly form: string;
  readonly mark: string;
}

/** One look for the beginnings of all forms tells that a text has none, five times as fast as one for each form. */
const BEGINNING_CHARACTERS = 16;
/** So much of a secret at the end of a text that was cut is taken for its beginning: a mark too many is no loss there. */
const MIN_BEGINNING_CHARACTERS = 4;
/** Where a string of JSON begins, or a whole number. */
const STRING_OR_NUMBER = /"|-?\d[\d.eE+-]*/g;

export const NOTHING_KNOWN: Scrubber = {
  text: (text) => text,
  json: (text) => text,
  head: (text, length) => text.slice(0, length),
  cut: (text) => text,
};

export function createScrubber(secrets: Iterable<NamedSecret>): Scrubber {
  const forms = formsOf(secrets);
  if (forms.length === 0) return NOTHING_KNOWN;
  const longest = forms[0]?.form.length ?? 0;
  const beginnings = beginningsOf(forms);

  function text(given: string): string {
    if (given.length < MIN_SECRET_CHARACTERS || !beginnings.test(given)) return given;
    let scrubbed = given;
    for (const { form, mark } of forms) {
      if (scrubbed.includes(form)) scrubbed = scrubbed.replaceAll(form, () => mark);
    }
    return scrubbed;
  }

  function json(given: string): string {
    if (given.length < MIN_SECRET_CHARACTERS || !beginnings.test(given)) return given;
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
      const without = text(value);
      if (without === value) continue;
      // A number becomes a string: a mark is none.
      scrubbed += given.slice(done, found.index) + JSON.stringify(without);
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
    for (const { form, mark } of forms) {
      const most = Math.min(form.length - 1, given.length);
      for (let length = most; length >= MIN_BEGINNING_CHARACTERS; length--) {
        if (form[length - 1] !== given.at(-1)) continue;
        if (given.endsWith(form.slice(0, length))) return `${given.slice(0, -length)}${mark}`;
      }
    }
    return given;
  }

  return { text, json, head, cut };
}

/** The longest first: one secret may be a part of another. */
function formsOf(secrets: Iterable<NamedSecret>): readonly Form[] {
  const marks = new Map<string, string>();
  for (const [name, value] of secrets) {
    for (const form of secretForms(value)) if (!marks.has(form)) marks.set(form, `[secret ${name}]`);
  }
  return [...marks].map(([form, mark]) => ({ form, mark })).sort((a, b) => b.form.length - a.form.length);
}

/** Of the forms, and of how a string of JSON has them. */
function beginningsOf(forms: readonly Form[]): RegExp {
  const found = forms.flatMap(({ form }) => {
    const text = form.slice(0, BEGINNING_CHARACTERS);
    // JSON would write half a character as its number, and has the whole one as it is.
    const beginning = text.isWellFormed() ? text : text.slice(0, -1);
    return [beginning, JSON.stringify(beginning).slice(1, -1)];
  });
  return new RegExp([...new Set(found)].map((beginning) => RegExp.escape(beginning)).join("|"));
}
