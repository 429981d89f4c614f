/**
 * The outermost layer of every call: turns what was thrown into a Connect error, in one place. What
 * was not foreseen is logged with its cause under a short id, and the caller is told only the id:
 * messages of drivers and stacks never leave the node. What nobody could answer says who is in the way.
 */
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { ElasticJobError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { Random } from "../../core/random.ts";
import type { WhyNotReady } from "../../core/readiness/why-not-ready.ts";
import { toConnectError } from "../error-codes.ts";
import { withReason } from "../with-reason.ts";
import { adapterWords } from "./adapter-words.ts";

export function errorInterceptor(logger: Logger, random: Random, whyNotReady: WhyNotReady): Interceptor {
  return (next) => async (request) => {
    const translate = (error: unknown) => withReason(toConnect(error), whyNotReady);
    const toConnect = (error: unknown): ConnectError => {
      if (error instanceof ElasticJobError && error.code !== "internal") return toConnectError(error);
      if (error instanceof ConnectError) {
        const words = adapterWords({ code: error.code, message: error.rawMessage });
        return words === null ? error : new ConnectError(words.message, words.code, error.metadata);
      }
      if (request.signal.aborted) {
        const reason: unknown = request.signal.reason;
        return reason instanceof ConnectError
          ? reason
          : new ConnectError("the call was cancelled", Code.Canceled);
      }
      const id = random.id().slice(0, 8);
      logger.error({ error, method: request.method.name, id }, "a call failed unexpectedly");
      return new ConnectError(`internal error; the node's log has it under ${id}`, Code.Internal);
    };
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: translated(response.message, translate) } : response;
    } catch (error) {
      throw translate(error);
    }
  };
}

/** Passes on `return` too, so that a stream is cleaned up when its reader goes. */
function translated<T>(
  messages: AsyncIterable<T>,
  translate: (error: unknown) => ConnectError,
): AsyncIterable<T> {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        yield* messages;
      } catch (error) {
        throw translate(error);
      }
    },
  };
}
