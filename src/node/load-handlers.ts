import type { Contract } from "../contract/contract.ts";
import { exactText } from "../core/json/exact-numbers.ts";
import { type BuiltInSettings, builtInJobs } from "../jobs/built-in.ts";
import type { Jobs } from "../jobs/define-jobs.ts";
import { besideHandlers, contractOf } from "../jobs/handlers-module.ts";
import type { JobSecrets } from "../jobs/secret-references.ts";
import type { ProcessGroups } from "../jobs/shell.ts";
import type { ThreadLife } from "../jobs/thread-life.ts";
import { handlersOf } from "./check-exported.ts";

export interface LoadedModule {
  /** The built-in handlers, and the user's before those. */
  readonly jobs: Jobs;
  /** The user's alone. */
  readonly own: Jobs;
  /** Its schedules, as JSON text with all digits; null: it has none. */
  readonly schedules: string | null;
  /** What its threads do besides running them; null: nothing. */
  readonly life: ThreadLife | null;
  /** What its handlers take and give; empty: they do not say. */
  readonly contract: Contract;
}

/** What it throws says what is wrong with the module. */
export async function loadHandlers(
  handlersUrl: string | null,
  settings: BuiltInSettings,
  groups: ProcessGroups,
  secrets: JobSecrets,
): Promise<LoadedModule> {
  const builtIn = builtInJobs(settings, groups, secrets);
  if (handlersUrl === null) return { jobs: builtIn, own: {}, schedules: null, life: null, contract: {} };
  const module: unknown = await import(handlersUrl);
  const own = handlersOf(module);
  const { schedules, life } = besideHandlers(own);
  return {
    jobs: { ...builtIn, ...own },
    own,
    schedules: schedules === null ? null : (exactText(schedules) ?? null),
    life,
    contract: contractOf(own),
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
