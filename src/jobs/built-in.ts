import { defineJobs, type Handler, type Jobs } from "./define-jobs.ts";
import { echo } from "./echo.ts";
import { fail } from "./fail.ts";
import type { HttpSettings } from "./http.ts";
import type { JobSecrets } from "./secret-references.ts";
import type { ProcessGroups, ShellSettings } from "./shell.ts";
import { sleep } from "./sleep.ts";

export interface BuiltInSettings {
  readonly http: HttpSettings;
  /** null: there is no handler `shell`. */
  readonly shell: ShellSettings | null;
  /** As SECRETS_DIR has it; null: the node has no secrets for jobs. */
  readonly secretsFolder: string | null;
}

export const DEFAULT_BUILT_IN_SETTINGS: BuiltInSettings = {
  http: { allowedHosts: [], clusterHosts: [], secretHosts: [] },
  shell: null,
  secretsFolder: null,
};

/** The handlers that every node offers. A user's handler of the same name goes before. */
export function builtInJobs(settings: BuiltInSettings, groups: ProcessGroups, secrets: JobSecrets): Jobs {
  const http = whenCalled(async () => (await import("./http.ts")).createHttp(settings.http, secrets));
  const { shell: given } = settings;
  if (given === null) return defineJobs({ echo, sleep, fail, http });
  const shell = whenCalled(async () => (await import("./shell.ts")).createShell(given, groups));
  return defineJobs({ echo, sleep, fail, http, shell });
}

/** Every thread would start later, and be larger, for the sake of handlers that most never call. */
function whenCalled(load: () => Promise<Handler>): Handler {
  let loaded: Promise<Handler> | undefined;
  return async (job, ctx) => {
    loaded ??= load();
    const handler = await loaded;
    return handler(job, ctx);
  };
}
