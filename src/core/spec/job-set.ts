/** Named sets of jobs, as code describes them: their names, and the keys of their jobs. */
import { quote } from "../errors.ts";
import { ACCEPTED_HANDLER_NAMES, isHandlerName } from "../handler-name.ts";

const SET_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** Each of its jobs is compared, under one lock. */
export const MOST_SET_JOBS = 1_000;

/** What is wrong with it; null: nothing. */
export function setNameProblem(name: string): string | null {
  if (name === "") return "is required; 1 to 64 characters of A-Z a-z 0-9 _ . - are accepted";
  return SET_NAME.test(name)
    ? null
    : `${quote(name)} is no set's name; 1 to 64 characters of A-Z a-z 0-9 _ . - are accepted`;
}

/** Of a job within its set: the same. */
export function nameInSetProblem(name: string): string | null {
  return isHandlerName(name) ? null : `${quote(name)} is no name of a job; ${ACCEPTED_HANDLER_NAMES}`;
}

/** The job's own key, within the 200 bytes that one may have. No set's name has a slash: so no two sets share a key. */
export function keyInSet(set: string, name: string): string {
  return `${set}/${name}`;
}
