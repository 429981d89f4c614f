/** Loads the handlers' module anew when one of its files changes. It is asked for their stamps, as file systems that tell of changes are not everywhere. */
import { type Clock, sleep } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import { fileStamp, moduleFiles } from "./module-files.ts";

const LOOK_MS = 300;

export interface ModuleWatch {
  /** The module. */
  readonly path: string;
  /** Throws what is wrong with the module as it is now; then the one before goes on. */
  readonly reload: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Until the signal aborts. */
export async function watchModule(
  { path, reload, clock, logger }: ModuleWatch,
  signal: AbortSignal,
): Promise<void> {
  let files = moduleFiles(path);
  let loaded = stampsOf(files);
  let seen = loaded;
  while (!signal.aborted) {
    await sleep(clock, LOOK_MS, signal);
    if (signal.aborted) return;
    const now = stampsOf(files);
    // What changes between two looks may still be being written.
    const isSettled = now === seen;
    seen = now;
    if (now === loaded || !isSettled) continue;
    files = moduleFiles(path);
    loaded = stampsOf(files);
    seen = loaded;
    try {
      await reload();
    } catch (error) {
      if (signal.aborted) return;
      const why = error instanceof Error ? error.message : String(error);
      logger.error({ path, why }, "the changed handlers are not used; those before go on");
    }
  }
}

function stampsOf(files: ReadonlySet<string>): string {
  return [...files].map((file) => `${file} ${fileStamp(file)}`).join("\n");
}
