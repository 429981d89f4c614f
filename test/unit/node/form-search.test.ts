import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createFormSearch } from "../../../src/node/form-search.ts";

/** As plainly as it can be said. */
function everywhere(forms: readonly string[], text: string): string[] {
  const found: string[] = [];
  for (const form of forms) {
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) found.push(`${at} ${form}`);
  }
  return found.sort();
}

test("finds every form at every place, also where they overlap, and many begin in the same way", () => {
  const few = fc.string({ unit: fc.constantFrom("a", "b", "\u{1f600}"), minLength: 8, maxLength: 12 });
  const alike = few.map((end) => `-----BEGIN a KEY-----${end}`);
  const forms = fc.uniqueArray(fc.oneof(few, alike), { minLength: 1, maxLength: 60 });
  const given = forms.chain((all) =>
    fc.tuple(
      fc.constant(all),
      fc.array(fc.oneof(fc.constantFrom(...all), fc.constantFrom("a", "b", "-----BEGIN a K"))),
    ),
  );
  fc.assert(
    fc.property(given, ([all, parts]) => {
      const text = parts.join("");
      const search = createFormSearch(all);
      const found = search.all(text).map(({ at, form }) => `${at} ${form}`);
      expect(found.sort()).toEqual(everywhere(all, text));
      expect(search.has(text)).toBe(found.length > 0);
    }),
  );
});
