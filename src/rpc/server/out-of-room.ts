import { tryLater } from "../error-codes.ts";

/** The body of a call does not fit beside those that are there. */
export function outOfRoom(): Error {
  return tryLater(
    "the calls under way at this node take as much memory as they may; try again, or in smaller calls",
  );
}
