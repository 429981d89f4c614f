import { ElasticJobError } from "../../core/errors.ts";
import type { AddItem, AddOutcome } from "../job-api.ts";
import type { ConnectedNodes } from "../nodes/connected-nodes.ts";
import type { KnownHandlers } from "../nodes/known-handlers.ts";

/** Says of a job that was added why it will wait, where no node offers its handler. */
export function explainAdded(
  nodes: ConnectedNodes,
  known: KnownHandlers,
): (outcome: AddOutcome, item: AddItem | undefined) => AddOutcome {
  return (outcome, item) => {
    if (outcome instanceof ElasticJobError || item === undefined) return outcome;
    const { spec } = item;
    if (spec instanceof ElasticJobError) return outcome;
    // As after an election: nodes are about to come, and then it would be the same call's answer no more.
    if (nodes.isEmpty) return outcome;
    const reason = known.whyNotOffered(spec.handler);
    return reason === "" ? outcome : { ...outcome, reason };
  };
}
