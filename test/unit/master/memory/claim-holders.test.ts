import { describe, expect, test } from "vitest";
import { STORED_STATUS } from "../../../../src/core/job.ts";
import { Queues } from "../../../../src/core/queues/queues.ts";
import { ClaimHolders } from "../../../../src/master/memory/claim-holders.ts";
import { recordOf } from "../../../fixtures/job-fixture.ts";

const running = (id: number, claim: number, node: number) =>
  recordOf({ id, claim, node, status: STORED_STATUS.RUNNING });

function claimHolders() {
  const queues = new Queues();
  const holders = new ClaimHolders(queues);
  const unknown: { jobId: number; isHeld: boolean }[] = [];
  holders.onUnknown(({ id }, isHeld) => unknown.push({ jobId: id, isHeld }));
  return { queues, holders, unknown };
}

describe("who holds a claim", () => {
  test("is the node that it was given to, as long as it is the claim of the row", () => {
    const { holders } = claimHolders();
    holders.give(7, 1, 3);
    expect(holders.holderOf(running(1, 3, 7))).toBe(7);
    expect(holders.holderOf(running(1, 4, 7))).toBeNull();
    expect(holders.holderOf(running(1, 3, 8))).toBeNull();
    expect(holders.holderOf(running(2, 3, 7))).toBeNull();
  });

  test("keeps a newer claim of the same job when an older one is given or dropped", () => {
    const { holders } = claimHolders();
    holders.give(7, 1, 3);
    holders.give(7, 1, 2);
    holders.drop(7, 1, 2);
    expect(holders.of(7)).toEqual(new Map([[1, 3]]));
    holders.give(7, 1, 4);
    holders.drop(7, 1, 3);
    expect(holders.of(7)).toEqual(new Map([[1, 4]]));
  });

  test("is nobody once it is dropped", () => {
    const { holders } = claimHolders();
    holders.give(7, 1, 3);
    holders.drop(7, 1, 3);
    expect(holders.of(7)).toEqual(new Map());
    expect(holders.holderOf(running(1, 3, 7))).toBeNull();
  });

  test("forgets all that a node held when it is gone, and says what that was", () => {
    const { holders } = claimHolders();
    holders.give(7, 1, 3);
    holders.give(7, 2, 1);
    holders.give(8, 3, 1);
    expect(holders.dropAll(7)).toEqual([
      { jobId: 1, claim: 3 },
      { jobId: 2, claim: 1 },
    ]);
    expect(holders.dropAll(7)).toEqual([]);
    expect(holders.of(8)).toEqual(new Map([[3, 1]]));
  });

  test("lists claims so that later changes leave the list alone", () => {
    const { holders } = claimHolders();
    holders.give(7, 1, 3);
    const listed = holders.claimsOf(7);
    holders.drop(7, 1, 3);
    expect(listed).toEqual([{ jobId: 1, claim: 3 }]);
  });
});

describe("a RUNNING row that is found", () => {
  test("is resolved when nobody holds its claim", () => {
    const { holders, unknown } = claimHolders();
    holders.found(running(1, 3, 7));
    expect(unknown).toEqual([{ jobId: 1, isHeld: false }]);
  });

  test("is resolved when it is held, and memory does not have it as running", () => {
    const { holders, unknown } = claimHolders();
    holders.give(7, 1, 3);
    holders.found(running(1, 3, 7));
    expect(unknown).toEqual([{ jobId: 1, isHeld: true }]);
  });

  test("is no news when it is held, and memory has it as running", () => {
    const { queues, holders, unknown } = claimHolders();
    holders.give(7, 1, 3);
    queues.run(running(1, 3, 7), true);
    holders.found(running(1, 3, 7));
    expect(unknown).toEqual([]);
  });

  test("is resolved though memory has it as running, when nobody holds its claim", () => {
    const { queues, holders, unknown } = claimHolders();
    queues.run(running(1, 3, 7), true);
    holders.found(running(1, 3, 7));
    expect(unknown).toEqual([{ jobId: 1, isHeld: false }]);
  });
});
