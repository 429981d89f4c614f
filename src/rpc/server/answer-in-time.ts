import { createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import type { Clock } from "../../core/clock.ts";
import { inTime } from "../in-time.ts";

const CALL_TIMEOUT = createContextKey<number | undefined>(undefined, {
  description: "how long the caller waits, in milliseconds",
});

/** Interceptors are not told of it. */
export function noteTimeout(context: HandlerContext): void {
  context.values.set(CALL_TIMEOUT, context.timeoutMs());
}

/** Whatever a call waits for: its caller hears from us before its deadline, not from its own clock. */
export function answerInTime(clock: Clock): Interceptor {
  return (next) => (request) =>
    request.stream ? next(request) : inTime(clock, request.contextValues.get(CALL_TIMEOUT), next(request));
}
