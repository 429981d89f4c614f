import { canTake, choose } from "../../core/queues/placement.ts";
import type { PreparedNeed } from "../job-api.ts";
import type { NodeSession } from "../nodes/node-session.ts";

/** Why a job that is due has not been given out; empty: it is about to be. */
export function whyPrepared(nodes: readonly NodeSession[], need: PreparedNeed): string {
  if (nodes.length === 0) return "no node is connected";
  const { handler, slots, memoryMb } = need;
  if (!nodes.some((node) => node.runJob || node.handlers.has(handler))) {
    return `no connected node offers the handler "${handler}"`;
  }
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
