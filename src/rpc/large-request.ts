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

/** A request of a stream, of which each is to be asked for once, in their order: a promise only where it takes a while. */
export function wholeOf<T extends Message>(
  request: T,
  { values }: Values,
): StreamedRequest<T> | Promise<StreamedRequest<T>> {
  const large = values.get(SENT_REQUESTS)?.take() ?? null;
  return large === null ? { request, release: () => {} } : decodeLarge<T>(large);
}

async function decodeLarge<T extends Message>(large: LargeRequest): Promise<StreamedRequest<T>> {
  try {
    return { request: (await large.decode()) as T, release: () => large.release() };
  } catch (error) {
    large.release();
    throw error;
  }
}
