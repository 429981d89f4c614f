import { expect, test } from "vitest";
import type { HeldClaim } from "../../../src/node/held-claim.ts";
import { HeldClaims } from "../../../src/node/held-claims.ts";

const held = (jobId: number, claim: number) => ({ assignment: { jobId, claim } }) as HeldClaim;

test("a job's next claim is held beside the one whose end is not acknowledged yet", () => {
  const claims = new HeldClaims();
  const [first, second, other] = [held(1, 1), held(1, 2), held(2, 1)];
  for (const each of [first, second, other]) claims.add(each);
  expect(claims.get({ jobId: 1, claim: 1 })).toBe(first);
  expect(claims.get({ jobId: 1, claim: 2 })).toBe(second);
  expect(claims.get({ jobId: 1, claim: 3 })).toBeUndefined();
  expect([...claims]).toEqual([first, second, other]);
  claims.delete({ jobId: 1, claim: 1 });
  expect([...claims]).toEqual([second, other]);
});

test("nothing is left of what was deleted, and deleting it again changes nothing", () => {
  const claims = new HeldClaims();
  claims.add(held(1, 1));
  claims.delete({ jobId: 1, claim: 2 });
  expect(claims.isEmpty).toBe(false);
  claims.delete({ jobId: 1, claim: 1 });
  claims.delete({ jobId: 1, claim: 1 });
  expect(claims.isEmpty).toBe(true);
});
