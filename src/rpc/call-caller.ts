import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import { type Caller, NOT_SAID } from "../core/callers/caller.ts";

/** Who makes a call: set when it is let in, before its body is read. */
export const CALL_CALLER: ContextKey<Caller> = createContextKey(NOT_SAID, {
  description: "who makes a call",
});

export function callerIn({ values }: { readonly values: Pick<ContextValues, "get"> }): Caller {
  return values.get(CALL_CALLER);
}
