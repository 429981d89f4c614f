/**
 * What a handlers module may export: an object written with braces. Everything else would be taken for "no handlers",
 * as only an object's own properties are looked at, and the node would be up without those that its module holds.
 */
import { defineJobs, type Jobs } from "../jobs/define-jobs.ts";

const WANTED = "write `export default defineJobs({ … })`";

/** The handlers of a loaded module. What it throws says what the module has instead. */
export function handlersOf(module: unknown): Jobs {
  if (typeof module !== "object" || module === null || !("default" in module)) {
    throw new TypeError(`it has no default export; ${WANTED}`);
  }
  const exported = module.default;
  if (!isPlainObject(exported)) {
    const [what, instead = WANTED] = describe(exported);
    throw new TypeError(`its default export is ${what}; ${instead}`);
  }
  if (Object.keys(exported).length === 0) {
    throw new TypeError(`its default export holds no handlers; ${WANTED}, with at least one function in it`);
  }
  return defineJobs(exported);
}

/** Whether all that it holds are properties of its own. Its values are checked by `defineJobs`. */
function isPlainObject(value: unknown): value is Jobs {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): [what: string, instead?: string] {
  if (value === null) return ["null"];
  if (typeof value !== "object") return [value === undefined ? "undefined" : `of type ${typeof value}`];
  if (Array.isArray(value)) return ["an array"];
  if ("then" in value && typeof value.then === "function") {
    return ["a promise", "write `export default await …`, so that the node waits for it"];
  }
  if (value instanceof Map) return ["a Map", "write `export default Object.fromEntries(…)`"];
  const name: unknown =
    "constructor" in value && typeof value.constructor === "function" && value.constructor.name;
  const kind =
    typeof name === "string" && name !== "" ? `an instance of ${name}` : "an object with a prototype";
  return [kind, `only an object's own properties are handlers: ${WANTED}, and call its methods there`];
}
