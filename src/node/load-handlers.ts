import { type BuiltInSettings, builtInJobs } from "../jobs/built-in.ts";
import { defineJobs, type Jobs } from "../jobs/define-jobs.ts";
import type { ProcessGroups } from "../jobs/shell.ts";

/** The built-in handlers, and the user's before those. What it throws says what is wrong with the module. */
export async function loadHandlers(
  handlersUrl: string | null,
  settings: BuiltInSettings,
  groups: ProcessGroups,
): Promise<Jobs> {
  const builtIn = builtInJobs(settings, groups);
  if (handlersUrl === null) return builtIn;
  const module: unknown = await import(handlersUrl);
  if (typeof module !== "object" || module === null || !("default" in module)) {
    throw new TypeError("it has no default export; write `export default defineJobs({ … })`");
  }
  const exported = module.default;
  if (typeof exported !== "object" || exported === null || Array.isArray(exported)) {
    const what =
      exported === null ? "null" : Array.isArray(exported) ? "an array" : `of type ${typeof exported}`;
    throw new TypeError(`its default export is ${what}; write \`export default defineJobs({ … })\``);
  }
  return { ...builtIn, ...defineJobs(exported as Jobs) };
}

/** For people. Where a syntax error is stands only at the head of its stack, and not for plain JavaScript. */
export function loadFailure(error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${String(error)}`;
  const text = `${error.name}: ${error.message}`;
  if (!(error instanceof SyntaxError)) return text;
  const [head = ""] = error.stack?.split(/^SyntaxError/m) ?? [];
  return head === "" ? `${text} (\`node --check\` shows where)` : `${text} at ${head.trim()}`;
}
