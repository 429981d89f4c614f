/** Why prepared jobs wait, and later ones will, for lists: any node serves those, and only the master knows. */
import type { JobRecord } from "../../core/job.ts";
import { needOf, type PreparedNeed } from "../../master/job-api.ts";
import type { CallContext, MasterCaller } from "../forwarding/master-call.ts";

/** A list is not held up by a failover: it says so instead. */
const WAIT_MS = 1_000;
/** What is due later hardly ever has a reason. */
const WAIT_FOR_LATER_MS = 200;
const NO_MASTER = "the master does not answer at the moment";

export async function explainPrepared(
  records: readonly JobRecord[],
  now: number,
  master: MasterCaller,
  context: CallContext,
): Promise<(record: JobRecord) => string> {
  const needs = new Map<string, PreparedNeed>();
  const needAt = ({ spec, at }: JobRecord) => needOf(spec, at > now);
  for (const record of records) needs.set(keyOf(needAt(record)), needAt(record));
  if (needs.size === 0) return () => "";
  const asked = [...needs.values()];
  const { signal, requestHeader, values } = context;
  const waitMs = asked.some(({ isLater }) => !isLater) ? WAIT_MS : WAIT_FOR_LATER_MS;
  const timeoutMs = () => Math.min(context.timeoutMs() ?? waitMs, waitMs);
  try {
    const reasons = await master.call(
      { signal, requestHeader, values, timeoutMs },
      {
        repeatable: true,
        onMaster: (api) => asked.map((need) => api.whyPrepared(need)),
        async forward(peer, call) {
          const message = asked.map((need) => ({ ...need, labels: { ...need.labels } }));
          return (await peer.nodes.explainPrepared({ needs: message }, call)).reasons;
        },
      },
    );
    const byKey = new Map([...needs.keys()].map((key, index) => [key, reasons[index] ?? ""]));
    const waiting = new Set(records);
    return (record) => (waiting.has(record) ? (byKey.get(keyOf(needAt(record))) ?? "") : "");
  } catch {
    signal.throwIfAborted();
    return ({ at }) => (at > now ? "" : NO_MASTER);
  }
}

function keyOf({ handler, labels, slots, memoryMb, isLater }: PreparedNeed): string {
  return JSON.stringify([handler, slots, memoryMb, isLater, Object.entries(labels).sort()]);
}
