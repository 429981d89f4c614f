/**
 * How long before its deadline a call is answered, so that its caller hears the reason from us, and not its own clock: that
 * one began before the call had come here, over a connection that may have had to be opened.
 */
const ANSWER_MARGIN_MS = 200;
const ANSWER_MARGIN_PART = 10;

export function answerMarginMs(timeoutMs: number): number {
  return Math.max(0, Math.min(ANSWER_MARGIN_MS, timeoutMs / ANSWER_MARGIN_PART));
}
