import { type BuiltInSettings, builtInJobs } from "../jobs/built-in.ts";
import type { Jobs } from "../jobs/define-jobs.ts";
import type { ProcessGroups } from "../jobs/shell.ts";
import { handlersOf } from "./check-exported.ts";

/** The built-in handlers, and the user's before those. What it throws says what is wrong with the module. */
export async function loadHandlers(
  handlersUrl: string | null,
  settings: BuiltInSettings,
  groups: ProcessGroups,
): Promise<Jobs> {
  const builtIn = builtInJobs(settings, groups);
  if (handlersUrl === null) return builtIn;
  const module: unknown = await import(handlersUrl);
  return { ...builtIn, ...handlersOf(module) };
}

/** For people. Where a syntax error is stands only at the head of its stack, and not for plain JavaScript. */
export function loadFailure(error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${String(error)}`;
  const text = `${error.name}: ${error.message}`;
  if (!(error instanceof SyntaxError)) return text;
  const [head = ""] = error.stack?.split(/^SyntaxError/m) ?? [];
  return head === "" ? `${text} (\`node --check\` shows where)` : `${text} at ${head.trim()}`;
}
