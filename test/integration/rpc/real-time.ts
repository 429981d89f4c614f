import type { Logger } from "../../../src/core/logger.ts";

export { systemClock as realClock, systemRandom as realRandom } from "../../../src/system-clock.ts";

/** Keeps the errors, so that a test can look at what was logged. */
export function recordingLogger(): Logger & { readonly errors: object[] } {
  const errors: object[] = [];
  return { errors, debug() {}, info() {}, warn() {}, error: (fields) => void errors.push(fields) };
}

/** Fails with `what` when the promise takes longer than `ms`. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
