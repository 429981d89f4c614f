import { createContextValues } from "@connectrpc/connect";
import type { Caller } from "../../core/callers/caller.ts";
import { CALL_CALLER } from "../call-caller.ts";
import type { CallContext } from "../forwarding/master-call.ts";

/** A call of this process, as one that comes in, without a connection. */
export function ownCall(caller: Caller, signal: AbortSignal): CallContext {
  return {
    signal,
    timeoutMs: () => undefined,
    requestHeader: new Headers(),
    values: createContextValues().set(CALL_CALLER, caller),
  };
}
