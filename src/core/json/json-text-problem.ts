/** JSON text that is kept as it is: whether it can be, and what is wrong with it, in words. */
import { countNames, type FoundFault, findFault, MAX_TEXT_LEVELS, mayHoldSurrogates } from "./json-faults.ts";
import { mostNames, repeatedName, repeatedPath } from "./json-strings.ts";

/** What is wrong with a text that is to be kept as JSON, in words; null: nothing. */
export function jsonTextProblem(text: string): string | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `is not JSON (${error instanceof Error ? error.message : String(error)}); JSON text is accepted`;
  }
  const holdsSurrogates = mayHoldSurrogates(text);
  // As nearly every payload is, and each job has one.
  if (!holdsSurrogates && countNames(json, MAX_TEXT_LEVELS) === mostNames(text)) return null;
  const fault = findFault(json, MAX_TEXT_LEVELS, holdsSurrogates);
  if (fault !== null) return faultText(fault, MAX_TEXT_LEVELS);
  const path = repeatedName(text) === null ? null : repeatedPath(text);
  return path === null ? null : `has a name twice in one object, at ${path}; a name is accepted once`;
}

/** What is wrong with JSON of so many levels, in words. */
export function faultText({ fault, path }: FoundFault, levels: number): string {
  const at = path === "" ? "" : `, at ${path}`;
  switch (fault) {
    case "deep": {
      const more = levels === MAX_TEXT_LEVELS ? "" : `, and up to ${MAX_TEXT_LEVELS} in payloadJson`;
      return `has more than ${levels} levels of arrays and objects; up to ${levels} are accepted${more}`;
    }
    case "infinite":
      return `has a number that is too large${at}; those of double precision are accepted`;
    case "surrogate":
      return `has half of a surrogate pair${at}, which UTF-8 cannot carry; whole characters are accepted`;
  }
}
