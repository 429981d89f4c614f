/**
 * What an edge holds at once, however many call it and however long the nodes let them wait: its memory must not
 * depend on either. What comes on top is refused with "try again", which costs nothing.
 */
export interface LoadLimit {
  /** null: there is no room for another call. */
  enter(): CallLoad | null;
}

/** What one call has of the load. */
export interface CallLoad {
  /** Whether it may keep so many more bytes of its body in memory. */
  mayHold(bytes: number): boolean;
  /** The call has ended. */
  leave(): void;
}

/** Measured on Deno: a call that waits takes about 100 KB, so these take 200 MB on top of its own 80. */
export const MAX_CALLS = 2_000;
const MAX_HELD_BYTES = 64 * 1024 * 1024;

export function createLoadLimit(maxCalls: number, maxHeldBytes = MAX_HELD_BYTES): LoadLimit {
  let calls = 0;
  let heldBytes = 0;
  return {
    enter() {
      if (calls >= maxCalls) return null;
      calls += 1;
      let own = 0;
      let hasLeft = false;
      return {
        mayHold(bytes) {
          if (hasLeft || heldBytes + bytes > maxHeldBytes) return false;
          heldBytes += bytes;
          own += bytes;
          return true;
        },
        leave() {
          if (hasLeft) return;
          hasLeft = true;
          calls -= 1;
          heldBytes -= own;
        },
      };
    },
  };
}

/** Calls back once when the answer's body has ended, broken off, or is not wanted any more. */
export function onBodyEnd(answer: Response, ended: () => void): Response {
  const reader = answer.body?.getReader();
  if (reader === undefined) {
    ended();
    return answer;
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        ended();
        controller.close();
      } catch (error) {
        ended();
        controller.error(error);
      }
    },
    cancel(reason) {
      ended();
      return reader.cancel(reason);
    },
  });
  return new Response(body, { status: answer.status, headers: answer.headers });
}
