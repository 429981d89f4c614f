import { defineJobs } from "./define-jobs.ts";
import { echo } from "./echo.ts";
import { fail } from "./fail.ts";
import { sleep } from "./sleep.ts";

/** The handlers that every node offers. A user's handler of the same name goes before. */
export const builtInJobs = defineJobs({ echo, sleep, fail });
