import { canTake, choose } from "../../core/queues/placement.ts";
import type { PreparedNeed } from "../job-api.ts";
import type { KnownHandlers } from "../nodes/known-handlers.ts";
import type { NodeSession } from "../nodes/node-session.ts";

/** Why a job that is due has not been given out, or a later one will not be; empty: it is about to be, or nothing is known to hold it up. */
export function whyPrepared(
  nodes: readonly NodeSession[],
  need: PreparedNeed,
  known: Pick<KnownHandlers, "whyNotOffered">,
): string {
  const { handler, slots, memoryMb, isLater } = need;
  const whyNotOffered = known.whyNotOffered(handler);
  // By the time that it is due, nodes will be there, as a rule.
  if (isLater) return nodes.length === 0 ? "" : whyNotOffered;
  if (whyNotOffered !== "") return whyNotOffered;
  const able = nodes.filter((node) => canTake(node, need));
  if (able.length === 0) return `no connected node that offers "${handler}" carries the required labels`;
  if (able.every((node) => node.slots < slots)) return `no connected node has ${slots} slots`;
  if (able.every((node) => node.memoryMb < memoryMb)) {
    return `no connected node has ${memoryMb} MiB of memory`;
  }
  const open = able.filter((node) => !node.draining);
  const [only] = able;
  if (open.length === 0) {
    return able.length === 1
      ? `the only node that can take it, ${only?.nodeId}, is draining`
      : "all nodes that can take it are draining";
  }
  if (choose(open, need) !== null) return "";
  return `all nodes that can take it are full${open.length < able.length ? " or draining" : ""}`;
}
