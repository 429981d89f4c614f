/**
 * A node that is frozen or cut off takes a call and says nothing, not even that it is gone. So while there is
 * no answer the same call is made again, elsewhere; the first answer counts, and the other calls are aborted.
 * This is only for what may be done twice.
 *
 * How many such calls there are at once, over all callers, is bounded: when all nodes are slow, asking more of them
 * would only make them slower (a cluster of which 900 callers wait once had 2,700 calls, and its edge no memory left).
 */
export interface SpareCalls {
  take(): boolean;
  giveBack(): void;
}

export function createSpareCalls(most: number): SpareCalls {
  let taken = 0;
  return {
    take: () => taken < most && ++taken > 0,
    giveBack: () => {
      taken -= 1;
    },
  };
}

export function firstAnswer(
  /** `earlier`: how many calls were made before this one. Aborting the signal ends the call and its answer. */
  start: (signal: AbortSignal, earlier: number) => Promise<Response>,
  options: {
    readonly anotherAfterMs: number;
    readonly most: number;
    readonly spare: SpareCalls;
    /** False: what has become of the calls so far speaks against another one. */
    readonly mayAsk?: () => boolean;
  },
): Promise<Response> {
  const { anotherAfterMs, most, spare, mayAsk = () => true } = options;
  return new Promise((resolve, reject) => {
    const pending = new Set<AbortController>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let earlier = 0;

    const startOne = () => {
      const abort = new AbortController();
      const isSpare = earlier > 0;
      pending.add(abort);
      start(abort.signal, earlier++)
        .finally(() => {
          if (isSpare) spare.giveBack();
        })
        .then(
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
      if (earlier < most) timer = setTimeout(startAnother, anotherAfterMs);
    };
    const startAnother = () => {
      if (!mayAsk()) return;
      if (spare.take()) startOne();
      else timer = setTimeout(startAnother, anotherAfterMs);
    };
    startOne();
  });
}
