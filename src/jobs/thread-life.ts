/**
 * What handlers share in a thread, such as a pool of connections: it is made when the thread starts, and put away when it ends.
 */
export interface ThreadLife<Resources = unknown> {
  /** Once in each thread, before it takes jobs. What it returns, or resolves to, is `ctx.resources`. */
  readonly setup?: () => Resources | Promise<Resources>;
  /** When the thread ends in order; not in one that is killed. */
  readonly teardown?: (resources: Resources) => unknown;
}

/** Null: there is nothing of it. Throws what is wrong. */
export function checkedLife(setup: ThreadLife["setup"], teardown: ThreadLife["teardown"]): ThreadLife | null {
  for (const [name, value] of Object.entries({ setup, teardown })) {
    if (value !== undefined && typeof value !== "function") {
      throw new TypeError(`defineJobs: ${name}: must be a function`);
    }
  }
  if (setup === undefined && teardown === undefined) return null;
  return { ...(setup && { setup }), ...(teardown && { teardown }) };
}
