/**
 * Who may call what, told before a call's body is read, in every protocol alike:
 * - between nodes (NodeService, and any call marked as forwarded): a connection that has proved to be a node's;
 * - how the node stands (gRPC's Health, as /healthz and /readyz): everybody, as whoever probes it has no token;
 * - all else: callers with an API token; where none is set, those of this machine, unless the API is open to all.
 */
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { CALLER, FORWARDED, FORWARDED_FOR } from "../core/call-headers.ts";
import { type ApiToken, checkToken } from "../core/callers/api-tokens.ts";
import {
  ANYBODY,
  type Caller,
  callerOf,
  NOT_SAID,
  readCallerText,
  THIS_MACHINE,
} from "../core/callers/caller.ts";
import { foreignPage } from "../core/callers/foreign-page.ts";
import { ONLY_LOCAL } from "../core/callers/local-caller.ts";
import { NodeService } from "../gen/elasticjob/v1/node_service_pb.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { CALL_CONNECTION } from "./connection.ts";

export interface Credentials {
  /** As they are by now. Empty: callers of this machine need none. */
  readonly tokens: () => readonly ApiToken[];
  /** Where there are no tokens: callers from everywhere need none. */
  readonly isOpen: boolean;
}

/** A call that is let in. */
export interface Admitted {
  /** "node": the call is between nodes. */
  readonly from: "node" | "caller";
  /** Who makes it; of a call that a node forwards, as that node says. */
  readonly caller: Caller;
}

type Call = Pick<HandlerContext, "requestHeader" | "service" | "method" | "values" | "url">;

const { challenge, prove } = NodeService.method;

/**
 * Throws `unauthenticated`, and `permission_denied` for what a caller's role does not allow, after `forbidden` was called, and for a page's
 * call, of which no node serves any.
 */
export function checkCaller(
  call: Call,
  { tokens, isOpen }: Credentials,
  forbidden: (caller: Caller, method: string) => void = () => {},
): Admitted {
  const { requestHeader, service, method } = call;
  const host = () => requestHeader.get("host") ?? URL.parse(call.url)?.host ?? "";
  const problem = foreignPage((name) => requestHeader.get(name), host, []);
  if (problem !== null) throw new ConnectError(problem, Code.PermissionDenied);
  if (service.typeName === Health.typeName) return PROBE;
  const connection = call.values.get(CALL_CONNECTION);
  if (service.typeName === NodeService.typeName) {
    if (method.name === challenge.name || method.name === prove.name) return PROBE;
    if (connection.proof.incarnation !== null) return { from: "node", caller: NOT_SAID };
    throw refusal("this call is between nodes, which prove on each connection that they are of this cluster");
  }
  const forwarder = requestHeader.get(FORWARDED);
  if (forwarder !== null) {
    if (connection.proof.incarnation === forwarder) {
      return { from: "node", caller: readCallerText(requestHeader.get(CALLER)) };
    }
    throw refusal("this call says that a node has passed it on, and its connection does not prove which");
  }
  const named = (name: string) => callerOf(name, connection.remote, requestHeader.get(FORWARDED_FOR));
  const accepted = tokens();
  if (accepted.length > 0) {
    const check = checkToken(accepted, requestHeader.get("authorization"), method.name);
    if (check.kind === "admitted") return { from: "caller", caller: named(check.name) };
    if (check.kind === "unknown") throw refusal(check.message);
    forbidden(named(check.name), method.name);
    throw new ConnectError(check.message, Code.PermissionDenied);
  }
  if (isOpen) return { from: "caller", caller: named(ANYBODY) };
  if (connection.isLocal) return { from: "caller", caller: named(THIS_MACHINE) };
  throw refusal(ONLY_LOCAL);
}

/** Whoever makes it changes nothing. */
const PROBE: Admitted = { from: "caller", caller: NOT_SAID };

function refusal(message: string): ConnectError {
  return new ConnectError(message, Code.Unauthenticated, { "www-authenticate": "Bearer" });
}
