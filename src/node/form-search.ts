/**
 * Finds any of many forms in a text, in one pass that skips most of it (Wu and Manber, "A fast algorithm for multi-pattern
 * searching", 1994): at each place it looks at the last characters of a window. If they stand in no form's own window, it moves
 * on, behind them; how far it may move, and which forms have a window that ends like this, stands in tables.
 *
 * A form's window is its beginning, unless many begin in the same way, as keys of one provider do, or those in PEM: then each
 * place where another such text begins would be compared with all of them.
 */
import { MIN_SECRET_CHARACTERS } from "./secret-forms.ts";

/** Each form has at least as many characters. */
const WINDOW = MIN_SECRET_CHARACTERS;
const BLOCK = 4;
const FARTHEST = WINDOW - BLOCK + 1;
/** Bits of a block's number: enough that few blocks of other texts share theirs with one of a form, and no more memory than that. */
const MIN_BITS = 10;
const MAX_BITS = 20;

/** So many forms may share the end of a window before others look for one farther on, but no farther than this. */
const MAX_ALIKE = 8;
const MAX_OFFSET = 128;

export interface Found {
  readonly at: number;
  readonly form: string;
}

export interface FormSearch {
  /** Whether a form stands in a text. */
  has(text: string): boolean;
  /** All that do, in no order, also where they overlap. */
  all(text: string): Found[];
}

interface Windowed {
  readonly form: string;
  /** Where in it its window is. */
  readonly offset: number;
}

export function createFormSearch(forms: readonly string[]): FormSearch {
  const wanted = Math.ceil(Math.log2(forms.length * FARTHEST * 8));
  const shift = 32 - Math.min(MAX_BITS, Math.max(MIN_BITS, wanted));
  const steps = new Uint8Array(2 ** (32 - shift)).fill(FARTHEST);
  const windows = new Map<number, Windowed[]>();

  const blockAt = (text: string, at: number) =>
    Math.imul(
      text.charCodeAt(at) ^
        (text.charCodeAt(at + 1) << 7) ^
        (text.charCodeAt(at + 2) << 14) ^
        (text.charCodeAt(at + 3) << 21),
      0x9e3779b1,
    ) >>> shift;

  for (const form of forms) {
    const offset = offsetFor(form);
    for (let at = 0; at < FARTHEST; at++) {
      const block = blockAt(form, offset + at);
      steps[block] = Math.min(steps[block] ?? 0, FARTHEST - 1 - at);
    }
    const end = blockAt(form, offset + WINDOW - BLOCK);
    const alike = windows.get(end);
    if (alike === undefined) windows.set(end, [{ form, offset }]);
    else alike.push({ form, offset });
  }

  function offsetFor(form: string): number {
    const most = Math.min(form.length - WINDOW, MAX_OFFSET);
    let best = 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (let offset = 0; offset <= most && fewest >= MAX_ALIKE; offset += WINDOW) {
      const alike = windows.get(blockAt(form, offset + WINDOW - BLOCK))?.length ?? 0;
      if (alike >= fewest) continue;
      best = offset;
      fewest = alike;
    }
    return best;
  }

  /** Tells `found` of each, until it wants no more. */
  function look(text: string, found: (each: Found) => boolean): void {
    const last = text.length - WINDOW;
    for (let at = 0; at <= last; ) {
      const block = blockAt(text, at + WINDOW - BLOCK);
      const step = steps[block] ?? 0;
      at += step || 1;
      if (step > 0) continue;
      for (const { form, offset } of windows.get(block) ?? []) {
        const begin = at - 1 - offset;
        // Before the beginning, `startsWith` would look at the beginning.
        if (begin >= 0 && text.startsWith(form, begin) && !found({ at: begin, form })) return;
      }
    }
  }

  return {
    has(text) {
      let isFound = false;
      look(text, () => {
        isFound = true;
        return false;
      });
      return isFound;
    },
    all(text) {
      const found: Found[] = [];
      look(text, (each) => found.push(each) > 0);
      return found;
    },
  };
}
