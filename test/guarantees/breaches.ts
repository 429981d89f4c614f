/**
 * The rules of G1 to G4, for whatever keeps a ledger of a run. They know the guarantees of the design, and
 * nothing of how they are kept. Each returns sentences; none means that it holds.
 */
import { everyOccurrenceIsAccountedFor, oneEndOfAnOccurrence } from "./accounted.ts";
import {
  acknowledgedAreThere,
  acknowledgedAsStored,
  addedOnce,
  startedOnce,
  startedOnlyWhenClaimed,
} from "./added-and-claimed.ts";
import type { Ledger } from "./facts.ts";
import { everyClaimHasItsRow, finalRowsStay, oneFinalRow, successesHaveRun } from "./recorded.ts";

const SHOWN = 20;

const RULES: readonly ((ledger: Ledger) => string[])[] = [
  acknowledgedAreThere,
  acknowledgedAsStored,
  addedOnce,
  startedOnce,
  startedOnlyWhenClaimed,
  successesHaveRun,
  oneFinalRow,
  everyClaimHasItsRow,
  finalRowsStay,
  oneEndOfAnOccurrence,
  everyOccurrenceIsAccountedFor,
];

/** What is wrong, as sentences; empty: everything held. */
export function breaches(ledger: Ledger): string[] {
  return RULES.flatMap((rule) => {
    const found = rule(ledger);
    if (found.length <= SHOWN) return found;
    return [...found.slice(0, SHOWN), `… and ${found.length - SHOWN} more of this kind (${rule.name})`];
  });
}
