import { randomInt } from "node:crypto";

/** The seed of this run: SEED, if it is given, else a new one. It is part of the test's name, so that a report shows it. */
export function runSeed(): number {
  const given = process.env["SEED"];
  return given === undefined || given === "" ? randomInt(2 ** 32) : Number(given);
}
