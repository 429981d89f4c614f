import { ElasticJobError } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import { nearestName } from "../../core/nearest-name.ts";
import { shorten } from "../../core/short-text.ts";
import type { MasterContext } from "../context.ts";
import type { ConnectedNodes } from "../nodes/connected-nodes.ts";
import type { KnownHandlers } from "../nodes/known-handlers.ts";

const MOST_LISTED_CHARACTERS = 200;
/** To compare a name with others takes a while, and a call may name ten thousand: the first of a second are enough. */
const MOST_COMPARED = 20;
const COMPARED_FOR_MS = 1_000;
const MOST_NAMES = 500;

/**
 * Why a job can't be added, or changed to this: no node has ever offered its handler, as far as is known. Unless its
 * caller says that one will. With no node connected, or before all nodes have had the time to report to a new master,
 * nothing is refused.
 */
export function handlerRefusal(
  context: MasterContext,
  nodes: ConnectedNodes,
  known: KnownHandlers,
): (spec: JobSpec) => ElasticJobError | null {
  const allHaveReportedAt =
    context.epochWrittenAt + (context.settings.embedded ? 0 : context.settings.leaseMs);
  const nearest = nearestHandler(context, nodes, known);
  return ({ handler, allowsUnknownHandler }) => {
    if (nodes.isEmpty || nodes.offers(handler)) return null;
    if (allowsUnknownHandler || known.lastOfferedAt(handler) !== null) return null;
    if (context.clock.monotonic() < allHaveReportedAt) return null;
    const offered = shorten(nodes.handlers().join(", "), MOST_LISTED_CHARACTERS) || "none";
    const near = nearest(handler);
    const meant = near === null ? "" : `did you mean "${near}"? `;
    return new ElasticJobError(
      "failed_precondition",
      `handler: no connected node offers "${handler}" (offered: ${offered}), and none has before; ${meant}With allowUnknownHandler it waits for one that does`,
    );
  };
}

function nearestHandler(
  { clock }: MasterContext,
  nodes: ConnectedNodes,
  known: KnownHandlers,
): (handler: string) => string | null {
  let since = Number.NEGATIVE_INFINITY;
  let compared = 0;
  return (handler) => {
    const now = clock.monotonic();
    if (now - since >= COMPARED_FOR_MS) {
      since = now;
      compared = 0;
    }
    if (++compared > MOST_COMPARED) return null;
    return nearestName(handler, [...nodes.handlers(), ...known.names()].slice(0, MOST_NAMES));
  };
}
