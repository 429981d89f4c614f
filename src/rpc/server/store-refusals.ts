/** Calls that callers' roles did not allow, in the audit and in the log. The node that refuses them stores them itself: they never reach the master. */
import { AuditIds } from "../../core/audit/audit-ids.ts";
import type { GatheredCall } from "../../core/audit/gathered-calls.ts";
import { NOT_ALLOWED, refusedLine } from "../../core/audit/refused-calls.ts";
import type { Clock } from "../../core/clock.ts";
import { Retried } from "../../core/log/retried.ts";
import type { Logger } from "../../core/logger.ts";
import type { Random } from "../../core/random.ts";
import type { JobStore } from "../../store/job-store.ts";

/** What it returns never rejects. */
export function storeRefusals(parts: {
  readonly store: Pick<JobStore, "writeAudit">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}): (calls: readonly GatheredCall[]) => Promise<void> {
  const { store, clock, random, logger } = parts;
  const ids = new AuditIds(random);
  const retried = new Retried(parts, "refused calls could not be stored in the audit");
  return async (calls) => {
    for (const call of calls) logger.warn(refusedLine(call), NOT_ALLOWED);
    const at = Math.trunc(clock.now());
    const records = calls.map((call) => ({ at, id: ids.next(), jobId: null, nodeId: "", ...call }));
    try {
      await store.writeAudit(records);
      retried.succeeded();
    } catch (error) {
      // They are in the log, in the lines above.
      retried.failed(error, { records: records.length });
    }
  };
}
