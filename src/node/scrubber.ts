/**
 * Takes known secrets out of what jobs leave behind: an output, an error, a line of the log. What a handler prints by itself,
 * or writes in a form of its own (backwards, encrypted), is its own affair.
 */
import { MIN_SECRET_CHARACTERS, secretForms } from "./secret-forms.ts";

/** A secret's name, for people, and its value. */
export type NamedSecret = readonly [name: string, value: string];

export interface Scrubber {
  /** With `[secret NAME]` in place of each secret. */
  text(text: string): string;
  /** The same for JSON text, which stays JSON. */
  json(text: string): string;
  /** For a text that was cut at its end, where the beginning of a secret may be left. */
  cut(text: string): string;
}

interface Form {
  readonly form: string;
  readonly mark: string;
}

/** Of strings and numbers. */
const JSON_TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

export const NOTHING_KNOWN: Scrubber = { text: (text) => text, json: (text) => text, cut: (text) => text };

export function createScrubber(secrets: Iterable<NamedSecret>): Scrubber {
  const forms = formsOf(secrets);
  if (forms.length === 0) return NOTHING_KNOWN;
  /** With those that a string of JSON has instead. */
  const inJson = [...new Set(forms.flatMap(({ form }) => [form, JSON.stringify(form).slice(1, -1)]))];
  const text = (given: string) => {
    if (given.length < MIN_SECRET_CHARACTERS) return given;
    let scrubbed = given;
    for (const { form, mark } of forms) {
      if (scrubbed.includes(form)) scrubbed = scrubbed.replaceAll(form, () => mark);
    }
    return scrubbed;
  };
  return {
    text,
    json(given) {
      if (given.length < MIN_SECRET_CHARACTERS) return given;
      if (!inJson.some((form) => given.includes(form))) return given;
      return given.replace(JSON_TOKENS, (token) => {
        const value = token.startsWith('"') ? (JSON.parse(token) as string) : token;
        const scrubbed = text(value);
        // A number becomes a string: a mark is none.
        return scrubbed === value ? token : JSON.stringify(scrubbed);
      });
    },
    cut(given) {
      for (const { form, mark } of forms) {
        for (let length = form.length - 1; length >= MIN_SECRET_CHARACTERS; length--) {
          if (given.endsWith(form.slice(0, length))) return `${given.slice(0, -length)}${mark}`;
        }
      }
      return given;
    },
  };
}

/** The longest first: one secret may be a part of another. */
function formsOf(secrets: Iterable<NamedSecret>): readonly Form[] {
  const marks = new Map<string, string>();
  for (const [name, value] of secrets) {
    for (const form of secretForms(value)) if (!marks.has(form)) marks.set(form, `[secret ${name}]`);
  }
  return [...marks].map(([form, mark]) => ({ form, mark })).sort((a, b) => b.form.length - a.form.length);
}
