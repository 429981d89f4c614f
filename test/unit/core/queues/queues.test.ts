import { describe, expect, test } from "vitest";
import { firstGroup, PRIORITY_STEP_MS, Queues } from "../../../../src/core/queues/queues.ts";
import { NOW, recordOf, specOf } from "../../../fixtures/job-fixture.ts";

function add(queues: Queues, id: number, at: number, priority = 0, slots = 1): void {
  const requirements = { slots, memoryMb: 0, labels: {} };
  queues.wait(recordOf({ id, at, scheduledAt: at, spec: specOf({ priority, requirements }) }), true);
}

/** As the dispatcher takes them when there is room for one. */
function takeFirst(queues: Queues): number | null {
  const job = firstGroup(queues.preparedGroups())?.jobs.first();
  if (job === undefined) return null;
  queues.drop(job.record.id);
  return job.record.id;
}

describe("jobs that are due", () => {
  test("go by their time, and of one time by their number", () => {
    const queues = new Queues();
    add(queues, 1, NOW + 2);
    add(queues, 3, NOW);
    add(queues, 2, NOW);
    add(queues, 4, NOW + 9);
    expect(queues.prepareDue(NOW + 5, 10)).toBe(3);
    expect([takeFirst(queues), takeFirst(queues), takeFirst(queues), takeFirst(queues)]).toEqual([
      2,
      3,
      1,
      null,
    ]);
    expect(queues.counts()).toEqual({ waiting: 1, prepared: 0, running: 0 });
  });

  test("go by priority, whatever they ask of a node", () => {
    const queues = new Queues();
    add(queues, 1, NOW);
    add(queues, 2, NOW, 1, 4);
    add(queues, 3, NOW, -1);
    queues.prepareDue(NOW, 10);
    expect([takeFirst(queues), takeFirst(queues), takeFirst(queues)]).toEqual([2, 1, 3]);
  });

  test("of a low priority are overtaken for as long as the difference is worth, and never starve", () => {
    const queues = new Queues();
    const difference = 5;
    add(queues, 1, NOW, -2);
    // A job of higher priority each second, and room for no more than one.
    let id = 1;
    for (let now = NOW; ; now += 1000) {
      expect(now).toBeLessThanOrEqual(NOW + difference * PRIORITY_STEP_MS + 1000);
      add(queues, ++id, now, difference - 2);
      queues.prepareDue(now, 10);
      if (takeFirst(queues) === 1) break;
    }
    expect(id).toBeGreaterThan((difference * PRIORITY_STEP_MS) / 1000 - 1);
  });
});
