/**
 * A request that is too large to be decoded at once: the protocol's handler gets an empty one in its place, and the method
 * takes the request itself from here, decoded in slices that let the loop turn.
 */
import type { Message } from "@bufbuild/protobuf";
import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";

export interface LargeRequest {
  /** Throws what is wrong with it. */
  decode(): Promise<Message>;
  /** The answer that the protocol's handler is to have: an empty one where this one is written beside it, in slices, too. */
  answer<T extends Message>(response: T): Promise<T>;
  /** Of a stream: its bytes are not held any longer. */
  release(): void;
}

/** Of the requests of a call, in their order: null for one that was small enough. */
export interface SentRequests {
  take(): LargeRequest | null;
}

export const SENT_REQUESTS: ContextKey<SentRequests | null> = createContextKey<SentRequests | null>(null, {
  description: "requests of a call that are too large to be decoded at once",
});

type Values = { readonly values: ContextValues };

/** Calls a unary method with the whole request: at once, if that is small. */
export function withWhole<T extends Message, R extends Message>(
  request: T,
  { values }: Values,
  call: (request: T) => Promise<R>,
): Promise<R> {
  const large = values.get(SENT_REQUESTS)?.take() ?? null;
  // It is decoded by the descriptor of the same method.
  return large === null
    ? call(request)
    : large
        .decode()
        .then((whole) => call(whole as T))
        .then((response) => large.answer(response));
}

export interface StreamedRequest<T> {
  readonly request: T;
  readonly release: () => void;
}

/** The requests of a stream. */
export async function* wholeRequests<T extends Message>(
  requests: AsyncIterable<T>,
  { values }: Values,
): AsyncGenerator<StreamedRequest<T>, void, undefined> {
  const sent = values.get(SENT_REQUESTS);
  for await (const request of requests) {
    const large = sent?.take() ?? null;
    if (large === null) {
      yield { request, release: () => {} };
      continue;
    }
    try {
      yield { request: (await large.decode()) as T, release: () => large.release() };
    } catch (error) {
      large.release();
      throw error;
    }
  }
}
