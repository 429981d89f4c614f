/** The body of a call, counted as it comes: one that does not fit into the budget of all calls is not read to its end. */
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { CALL_SHARE } from "./admission.ts";
import { type CallShare, SMALL_BODY_BYTES } from "./call-budget.ts";
import { outOfRoom } from "./out-of-room.ts";
import { isBytes } from "./refusal.ts";

export function metered(handler: UniversalHandler): UniversalHandler {
  const { methodKind } = handler.method;
  // What comes on a stream does not stay: its methods bound what they have open.
  if (methodKind === "bidi_streaming" || methodKind === "client_streaming") return handler;
  const metering = (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    const share = request.contextValues?.get(CALL_SHARE) ?? null;
    if (share === null || !isBytes(request.body)) return handler(request);
    // Said, it is held to by HTTP itself.
    const length = Number(request.header.get("content-length") ?? Number.NaN);
    if (length <= SMALL_BODY_BYTES && share.takeBody(length)) return handler(request);
    return handler({ ...request, body: counted(request.body, share) });
  };
  return Object.assign(metering, { ...handler });
}

async function* counted(
  body: AsyncIterable<Uint8Array>,
  share: CallShare,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of body) {
    if (!share.takeBody(piece.byteLength)) throw outOfRoom();
    yield piece;
  }
}
