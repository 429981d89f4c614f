import { parseExact } from "../core/json/exact-numbers.ts";
import type { HandlerJob } from "./define-jobs.ts";

/** The payload to hand on: numbers that JavaScript has not are written as they came. */
export function exactPayload({ payload, payloadText }: HandlerJob): unknown {
  return payloadText === undefined ? payload : parseExact(payloadText);
}
