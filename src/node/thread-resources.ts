/** What handlers share in this thread, by their module's `setup` and `teardown`. */
import type { ThreadLife } from "../jobs/thread-life.ts";

/** Throws what is wrong, in words for whoever starts the node. */
export async function setUp({ setup }: ThreadLife): Promise<unknown> {
  try {
    return await setup?.();
  } catch (error) {
    throw new Error(`its setup failed: ${String(error)}`, { cause: error });
  }
}

/** Null: there was no problem. */
export async function tearDown({ teardown }: ThreadLife, resources: unknown): Promise<string | null> {
  try {
    await teardown?.(resources);
    return null;
  } catch (error) {
    return String(error);
  }
}
