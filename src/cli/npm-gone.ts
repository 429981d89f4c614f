import type { Environment } from "../config.ts";

/** `npm start` and `npm run` have a shell between themselves and this process, which ends at a signal and passes none on. */
const LOOK_EVERY_MS = 500;

/** Calls back when that shell has ended, if npm has started this process: whoever stopped npm meant this process. */
export function whenNpmIsGone(env: Environment, call: () => void): void {
  if (env["npm_lifecycle_event"] === undefined) return;
  const { ppid } = process;
  const timer = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(timer);
    call();
  }, LOOK_EVERY_MS);
  timer.unref();
}
