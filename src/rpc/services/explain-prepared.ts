/** Why prepared jobs wait, for lists: any node serves those, and only the master knows. */
import type { JobRecord } from "../../core/job.ts";
import { needOf, type PreparedNeed } from "../../master/job-api.ts";
import type { CallContext, MasterCaller } from "../forwarding/master-call.ts";

/** A list is not held up by a failover: it says so instead. */
const WAIT_MS = 1_000;
const NO_MASTER = "the master does not answer at the moment";

export async function explainPrepared(
  records: readonly JobRecord[],
  master: MasterCaller,
  context: CallContext,
): Promise<(record: JobRecord) => string> {
  const needs = new Map<string, PreparedNeed>();
  for (const { spec } of records) needs.set(keyOf(needOf(spec)), needOf(spec));
  if (needs.size === 0) return () => "";
  const asked = [...needs.values()];
  const { signal, requestHeader } = context;
  const timeoutMs = () => Math.min(context.timeoutMs() ?? WAIT_MS, WAIT_MS);
  try {
    const reasons = await master.call(
      { signal, requestHeader, timeoutMs },
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
    return ({ spec }) => byKey.get(keyOf(needOf(spec))) ?? "";
  } catch {
    signal.throwIfAborted();
    return () => NO_MASTER;
  }
}

function keyOf({ handler, labels, slots, memoryMb }: PreparedNeed): string {
  return JSON.stringify([handler, slots, memoryMb, Object.entries(labels).sort()]);
}
