/**
 * A node that is frozen or cut off takes a call and says nothing, not even that it is gone. So while there is
 * no answer the same call is made again, elsewhere; the first answer counts, and the other calls are aborted.
 * Only for what may be done twice.
 */
export function firstAnswer(
  /** `earlier`: how many calls were made before this one. Aborting the signal ends the call and its answer. */
  start: (signal: AbortSignal, earlier: number) => Promise<Response>,
  { anotherAfterMs, most }: { readonly anotherAfterMs: number; readonly most: number },
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const pending = new Set<AbortController>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let earlier = 0;

    const startOne = () => {
      const abort = new AbortController();
      pending.add(abort);
      start(abort.signal, earlier++).then(
        (answer) => {
          if (!pending.delete(abort)) return;
          clearTimeout(timer);
          for (const other of pending) other.abort();
          pending.clear();
          resolve(answer);
        },
        (error: unknown) => {
          // While others are pending, one of them may still answer.
          if (!pending.delete(abort) || pending.size > 0) return;
          clearTimeout(timer);
          reject(error);
        },
      );
      if (earlier < most) timer = setTimeout(startOne, anotherAfterMs);
    };
    startOne();
  });
}
