/**
 * Finds any of many forms in a text, in one pass that skips most of it (Wu and Manber, "A fast algorithm for multi-pattern
 * searching", 1994): at each place it looks at the last characters of a window. If they stand in no form's beginning, the
 * window moves behind them; how far it may move, and which forms begin with a window that ends like this, stands in tables.
 */
import { MIN_SECRET_CHARACTERS } from "./secret-forms.ts";

/** Each form has at least as many characters. */
const WINDOW = MIN_SECRET_CHARACTERS;
const BLOCK = 4;
const FARTHEST = WINDOW - BLOCK + 1;
/** Bits of a block's number: enough that few blocks of other texts share theirs with one of a form, and no more memory than that. */
const MIN_BITS = 10;
const MAX_BITS = 20;

export interface Found {
  readonly at: number;
  readonly form: string;
}

/** The first place from `from` on where a form stands, and the longest that does; null: there is none. */
export type FormSearch = (text: string, from: number) => Found | null;

/** `forms`: the longest first. */
export function createFormSearch(forms: readonly string[]): FormSearch {
  const wanted = Math.ceil(Math.log2(forms.length * FARTHEST * 8));
  const shift = 32 - Math.min(MAX_BITS, Math.max(MIN_BITS, wanted));
  const steps = new Uint8Array(2 ** (32 - shift)).fill(FARTHEST);
  const beginnings = new Map<number, string[]>();

  const blockAt = (text: string, at: number) =>
    Math.imul(
      text.charCodeAt(at) ^
        (text.charCodeAt(at + 1) << 7) ^
        (text.charCodeAt(at + 2) << 14) ^
        (text.charCodeAt(at + 3) << 21),
      0x9e3779b1,
    ) >>> shift;

  for (const form of forms) {
    for (let at = 0; at < FARTHEST; at++) {
      const block = blockAt(form, at);
      steps[block] = Math.min(steps[block] ?? 0, FARTHEST - 1 - at);
    }
    const block = blockAt(form, WINDOW - BLOCK);
    const alike = beginnings.get(block);
    if (alike === undefined) beginnings.set(block, [form]);
    else alike.push(form);
  }

  return (text, from) => {
    const last = text.length - WINDOW;
    for (let at = from; at <= last; ) {
      const block = blockAt(text, at + WINDOW - BLOCK);
      const step = steps[block] ?? 0;
      if (step === 0) {
        const form = beginnings.get(block)?.find((each) => text.startsWith(each, at));
        if (form !== undefined) return { at, form };
      }
      at += step || 1;
    }
    return null;
  };
}
