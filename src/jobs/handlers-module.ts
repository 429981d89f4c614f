/** What a module has besides its handlers, and how those carry it to the node that loads them. */
import type { Contract, HandlerContract } from "../contract/contract.ts";
import type { ScheduleOptions } from "./schedules.ts";
import type { ThreadLife } from "./thread-life.ts";

export interface BesideHandlers {
  /** Null: it has none. */
  readonly schedules: ScheduleOptions | null;
  /** Null likewise. */
  readonly life: ThreadLife | null;
}

/** Not by the class or the copy of this module: the user's may have loaded its own. */
const BESIDE: unique symbol = Symbol.for("elastic-job.beside-handlers") as never;

/** The same handlers, with what does not show among them. */
export function withBeside<T extends object>(jobs: T, beside: BesideHandlers): T {
  return Object.defineProperty({ ...jobs }, BESIDE, { value: beside });
}

export function besideHandlers(jobs: object): BesideHandlers {
  const none = { schedules: null, life: null };
  return { ...none, ...(jobs as { readonly [BESIDE]?: BesideHandlers })[BESIDE] };
}

/** What its handlers take and give, of those that say so. */
export function contractOf(
  jobs: Readonly<Record<string, { readonly contract?: HandlerContract }>>,
): Contract {
  const entries = Object.entries(jobs).flatMap(([name, handler]): [string, HandlerContract][] =>
    handler.contract === undefined ? [] : [[name, handler.contract]],
  );
  return Object.fromEntries(entries);
}
