/** Stands for whatever has no handler of its own: the one that a module names `runJob`. */
export const RUN_JOB = "runJob";

const HANDLER = /^[A-Za-z0-9_$.:/-]{1,128}$/;

export const ACCEPTED_HANDLER_NAMES = "1 to 128 characters of A-Z a-z 0-9 _ $ . : / - are accepted";

/** Whether jobs can be added for a handler of this name. */
export function isHandlerName(name: string): boolean {
  return HANDLER.test(name);
}
