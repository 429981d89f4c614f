/** Fields of payloads whose refusals say what was given, and what is accepted. */
import * as z from "zod";
import { instead, TEXT, TRUE_OR_FALSE } from "./payload-words.ts";

const saying = (accepted: string) => ({
  error: ({ input }: { readonly input?: unknown }) => instead(input, accepted),
});

export const textField = () => z.string(saying(TEXT));
export const flagField = () => z.boolean(saying(TRUE_OR_FALSE));
export const textsField = (item: z.ZodString) => z.array(item, saying("a list of texts is"));
export const namedTexts = (name: z.ZodString, value: z.ZodString) =>
  z.record(name, value, saying("an object with names and texts is"));

/** Whatever passes the check, in one piece. */
export function passing<T>(isGood: (given: unknown) => boolean, accepted: string): z.ZodType<T> {
  return z.custom<T>(isGood, saying(accepted));
}

export function wholeField(least: number, most: number): z.ZodType<number> {
  const isGood = (given: unknown) =>
    Number.isInteger(given) && Number(given) >= least && Number(given) <= most;
  return passing(isGood, `a whole number from ${least} to ${most} is`);
}
