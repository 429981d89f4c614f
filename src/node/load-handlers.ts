import { exactText } from "../core/json/exact-numbers.ts";
import { type BuiltInSettings, builtInJobs } from "../jobs/built-in.ts";
import type { Jobs } from "../jobs/define-jobs.ts";
import { schedulesOf } from "../jobs/schedules.ts";
import type { JobSecrets } from "../jobs/secret-references.ts";
import type { ProcessGroups } from "../jobs/shell.ts";
import { handlersOf } from "./check-exported.ts";

export interface LoadedModule {
  /** The built-in handlers, and the user's before those. */
  readonly jobs: Jobs;
  /** The user's alone. */
  readonly own: Jobs;
  /** Its schedules, as JSON text with all digits; null: it has none. */
  readonly schedules: string | null;
}

/** What it throws says what is wrong with the module. */
export async function loadHandlers(
  handlersUrl: string | null,
  settings: BuiltInSettings,
  groups: ProcessGroups,
  secrets: JobSecrets,
): Promise<LoadedModule> {
  const builtIn = builtInJobs(settings, groups, secrets);
  if (handlersUrl === null) return { jobs: builtIn, own: {}, schedules: null };
  const module: unknown = await import(handlersUrl);
  const own = handlersOf(module);
  const schedules = schedulesOf(own);
  return {
    jobs: { ...builtIn, ...own },
    own,
    schedules: schedules === null ? null : (exactText(schedules) ?? null),
  };
}

/** For people. Where a syntax error is stands only at the head of its stack, and not for plain JavaScript. */
export function loadFailure(error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${String(error)}`;
  const text = `${error.name}: ${error.message}`;
  if (!(error instanceof SyntaxError)) return text;
  const [head = ""] = error.stack?.split(/^SyntaxError/m) ?? [];
  return head === "" ? `${text} (\`node --check\` shows where)` : `${text} at ${head.trim()}`;
}
