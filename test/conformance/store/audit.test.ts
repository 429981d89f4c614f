/** Records of the audit: kept once, read newest first by what was asked for, and removed oldest first. */
import { expect, test } from "vitest";
import type { AuditFilter, AuditKey, AuditRecord } from "../../../src/core/audit/audit-record.ts";
import { auditRecordOf } from "../../fixtures/audit-record.ts";
import { NOW } from "../../fixtures/job-fixture.ts";
import { describeStores, expectCode, type StoreUnderTest } from "../../fixtures/store-fixture.ts";

function by(name: string): Pick<AuditRecord, "caller"> {
  return { caller: { name, address: "::1", forwardedFor: "203.0.113.9" } };
}

async function read(under: StoreUnderTest, filter: AuditFilter, limit = 1_000): Promise<AuditRecord[]> {
  const found: AuditRecord[] = [];
  let before: AuditKey | null = null;
  do {
    const page = await under.store.listAudit(filter, { before, limit });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    found.push(...page.items);
    before = page.next;
  } while (before !== null);
  return found;
}

const idsOf = (records: readonly AuditRecord[]) => records.map(({ id }) => id);

describeStores("records of the audit", (get) => {
  test("are read as they were written, however often they were, and as they were completed", async () => {
    const under = get();
    const odd = "it’s “odd”\n\0 \\' 漢字 😀";
    const one = auditRecordOf({ ...by("billing"), nodeId: "n".repeat(255), detail: odd, outcome: "" });
    await under.store.writeAudit([one], under.epoch);
    expect(await read(under, { caller: "billing" })).toEqual([one]);
    const end = {
      detail: odd.repeat(10),
      outcome: "not_found",
      firstJobId: 2 ** 53 - 2,
      lastJobId: 2 ** 53 - 1,
    };
    await under.store.endAudit(one, end);
    await under.store.writeAudit([one, auditRecordOf(by("billing"))], under.epoch);
    expect(await read(under, { caller: "billing" })).toEqual([
      expect.objectContaining({ caller: by("billing").caller }),
      { ...one, ...end },
    ]);
  });

  test("are fenced where an epoch is given, and only there", async () => {
    const under = get();
    const old = under.epoch;
    await under.depose();
    await expectCode(under.store.writeAudit([auditRecordOf(by("late"))], old), "stale_epoch");
    await expectCode(
      under.store.writeAudit([auditRecordOf(by("late")), auditRecordOf(by("late"))], old),
      "stale_epoch",
    );
    expect(await read(under, { caller: "late" })).toEqual([]);
    await under.store.writeAudit([auditRecordOf(by("late")), auditRecordOf(by("late"))]);
    expect(await read(under, { caller: "late" })).toHaveLength(2);
    await expectCode(under.store.expireAudit(old, { at: NOW, id: 2 ** 53 - 1 }, 1), "stale_epoch");
    await under.elect();
  });

  test.each([1, 3, 1_000])(
    "are read newest first, by time, caller, method and node, %i at a time",
    async (limit) => {
      const under = get();
      const nodeId = `node-${limit}`;
      const records = Array.from({ length: 8 }, (_, index) =>
        auditRecordOf({
          ...by(index % 2 === 0 ? "even" : "odd"),
          at: NOW + 1_000 * limit + Math.floor(index / 2),
          method: index < 4 ? "DrainNode" : "UndrainNode",
          nodeId,
        }),
      );
      await under.store.writeAudit(records);
      const ids = idsOf(records).reverse();
      const pick = (...indexes: number[]) => indexes.map((index) => ids[7 - index]);
      expect(idsOf(await read(under, { nodeId }, limit))).toEqual(ids);
      expect(idsOf(await read(under, { nodeId, caller: "odd" }, limit))).toEqual(pick(7, 5, 3, 1));
      expect(idsOf(await read(under, { nodeId, method: "DrainNode" }, limit))).toEqual(pick(3, 2, 1, 0));
      const { at: since } = records[2] as AuditRecord;
      const { at: until } = records[5] as AuditRecord;
      expect(idsOf(await read(under, { nodeId, since, until }, limit))).toEqual(pick(5, 4, 3, 2));
    },
  );

  test.each([1, 2, 1_000])(
    "of a job are its changes, and the adds that may have added it, %i at a time",
    async (limit) => {
      const under = get();
      const jobId = 5_000_000 * limit;
      const add = (first: number, last: number, at: number) =>
        auditRecordOf({
          method: "AddJobs",
          firstJobId: jobId + first,
          lastJobId: jobId + last,
          at: NOW + at,
        });
      const paused = auditRecordOf({ jobId, at: NOW + 10 });
      const child = auditRecordOf({
        jobId: jobId - 9,
        method: "TriggerJob",
        firstJobId: jobId,
        lastJobId: jobId,
        at: NOW + 2,
      });
      const records = [add(-5, 0, 1), child, add(-1, 7, 3), paused];
      const others = [add(-9, -1, 1), add(1, 3, 1), auditRecordOf({ jobId: jobId + 1, at: NOW + 5 })];
      await under.store.writeAudit([...records, ...others]);
      expect(idsOf(await read(under, { jobId }, limit))).toEqual(idsOf(records).reverse());
      expect(idsOf(await read(under, { jobId, method: "AddJobs", since: NOW + 2 }, limit))).toEqual([
        records[2]?.id,
      ]);
    },
  );

  test("are found among many, of which a call looks at some thousands", { timeout: 60_000 }, async () => {
    const under = get();
    const jobId = 77_000_000;
    const rare = [
      auditRecordOf({ ...by("rare"), at: NOW + 1_000_000 }),
      auditRecordOf({ ...by("rare"), at: NOW + 1_900_000, jobId }),
    ];
    const many = Array.from({ length: 5_000 }, (_, index) =>
      auditRecordOf({ ...by("busy"), at: NOW + 1_100_000 + index, jobId }),
    );
    await under.store.writeAudit([...rare, ...many]);
    const first = await under.store.listAudit({ caller: "rare" }, { before: null, limit: 10 });
    expect(first.items).toHaveLength(1);
    expect(first.next).not.toBeNull();
    expect(await read(under, { caller: "rare" })).toHaveLength(2);
    expect(await read(under, { caller: "rare", jobId })).toHaveLength(1);
    expect(await read(under, { jobId })).toHaveLength(5_001);
  });

  test("go oldest first, up to a key, a few at a time", async () => {
    const under = get();
    const records = Array.from({ length: 7 }, (_, index) =>
      auditRecordOf({ ...by("old"), at: index < 3 ? 1 : index }),
    );
    await under.store.writeAudit(records);
    const through = { at: 5, id: (records[5] as AuditRecord).id };
    const removed = [];
    for (let step = 0; step < 3; step++) removed.push(await under.store.expireAudit(under.epoch, through, 4));
    expect(removed).toEqual([4, 2, 0]);
    expect(idsOf(await read(under, { caller: "old" }))).toEqual([records[6]?.id]);
  });

  test("are counted from the newest down", async () => {
    const under = get();
    const at = NOW + 10_000_000;
    const records = Array.from({ length: 5 }, () => auditRecordOf({ ...by("counted"), at }));
    await under.store.writeAudit(records);
    const [, second] = records.toReversed();
    const key = await under.store.skipAudit(null, 2);
    expect(key).toEqual({ at, id: second?.id });
    expect(await under.store.skipAudit(key, 2)).toEqual({ at, id: records[1]?.id });
    expect(await under.store.skipAudit({ at: 1, id: 0 }, 1)).toBeNull();
  });
});
