/**
 * Binary requests that cannot be decoded are the caller's fault, and say why: the decoder takes them for a fault of this program, and
 * names no field. The bytes are kept until they are decoded, and looked at only when that fails.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type ElasticJobError, invalidArgument, type Problem } from "../../core/errors.ts";
import { toConnectError } from "../error-codes.ts";
import { badText } from "./binary-problems.ts";
import { SENT_BINARY, type SentBody } from "./sent-body.ts";

/** What the decoder says, as of a fault of its own. */
const UNDECODED = "parse binary: ";

/** Whatever comes here was decoded; on streams, the failure comes this way itself. */
export const refuseBinary: Interceptor = (next) => async (request) => {
  if (request.stream) {
    return next({ ...request, message: decoded(request.method.input, request.message) });
  }
  request.contextValues.get(SENT_BINARY)?.forget();
  return next(request);
};

/** No generator, which would take each message in hand once more. */
function decoded<T>(schema: DescMessage, messages: AsyncIterable<T>): AsyncIterable<T> {
  const refuse = async (error: unknown): Promise<never> => {
    const { code, rawMessage } = ConnectError.from(error);
    const why = code === Code.Internal ? await binaryProblem(schema, rawMessage, null) : null;
    throw why === null ? error : toConnectError(why);
  };
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      return {
        next: () => iterator.next().catch(refuse),
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}

/** `said`: by the decoder. `sent`: what it was to read; null: that is gone. Null: the message is about something else. */
export async function binaryProblem(
  schema: DescMessage,
  said: string,
  sent: SentBody | null,
): Promise<ElasticJobError | null> {
  if (!said.startsWith(UNDECODED)) return null;
  const bytes = sent === null || sent.isEmpty ? null : await sent.takeBytes().catch(() => null);
  const problem = bytes === null ? null : badText(schema, bytes);
  return invalidArgument([problem ?? notOfItsKind(schema, said.slice(UNDECODED.length))]);
}

/** Of bytes that protobuf cannot read. `why`: in its own words. */
export function notOfItsKind({ typeName }: DescMessage, why: string): Problem {
  const message = `is no ${typeName} in protobuf's binary form (${why}); that is accepted, or JSON as application/json`;
  return { field: "the body", message };
}
