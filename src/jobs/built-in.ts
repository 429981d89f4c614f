import { defineJobs, type Handler, type Jobs } from "./define-jobs.ts";
import { echo } from "./echo.ts";
import { fail } from "./fail.ts";
import type { HttpSettings } from "./http.ts";
import type { ProcessGroups } from "./shell.ts";
import { sleep } from "./sleep.ts";

export interface BuiltInSettings {
  readonly http: HttpSettings;
  /** Whether there is a handler `shell`. */
  readonly isShellOn: boolean;
}

export const DEFAULT_BUILT_IN_SETTINGS: BuiltInSettings = {
  http: { allowedHosts: [], clusterHosts: [] },
  isShellOn: false,
};

/** The handlers that every node offers. A user's handler of the same name goes before. */
export function builtInJobs(settings: BuiltInSettings, groups: ProcessGroups): Jobs {
  const http = whenCalled(async () => (await import("./http.ts")).createHttp(settings.http));
  const shell = whenCalled(async () => (await import("./shell.ts")).createShell(groups));
  return defineJobs({ echo, sleep, fail, http, ...(settings.isShellOn ? { shell } : {}) });
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
