import { ElasticJobError } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import type { MasterContext } from "../context.ts";
import type { ConnectedNodes } from "../nodes/connected-nodes.ts";

/**
 * Why a job can't be added, or changed to this: no connected node offers its handler. With no node connected, or before
 * all nodes have had the time to report to a new master, nothing is refused.
 */
export function handlerRefusal(
  context: MasterContext,
  nodes: ConnectedNodes,
): (spec: JobSpec) => ElasticJobError | null {
  const allHaveReportedAt =
    context.epochWrittenAt + (context.settings.embedded ? 0 : context.settings.leaseMs);
  return ({ handler }) => {
    const connected = nodes.all();
    if (connected.length === 0 || connected.some((node) => node.runJob || node.handlers.has(handler)))
      return null;
    if (context.clock.monotonic() < allHaveReportedAt) return null;
    const offered = [...new Set(connected.flatMap((node) => [...node.handlers]))].sort().join(", ");
    return new ElasticJobError(
      "failed_precondition",
      `handler: no connected node offers "${handler}" (offered: ${offered || "none"})`,
    );
  };
}
