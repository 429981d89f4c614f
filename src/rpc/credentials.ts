/**
 * Who may call what, told before a call's body is read, in every protocol alike:
 * - between nodes (NodeService, and any call marked as forwarded): a connection that has proved to be a node's;
 * - how the node stands (gRPC's Health, as /healthz and /readyz): everybody, as whoever probes it has no token;
 * - all else: callers with an API token; where none is set, those of this machine, unless the API is open to all.
 */
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { bearerToken, isOneOf } from "../core/bearer-token.ts";
import { FORWARDED } from "../core/call-headers.ts";
import { foreignPage } from "../core/foreign-page.ts";
import { ONLY_LOCAL } from "../core/local-caller.ts";
import { NodeService } from "../gen/elasticjob/v1/node_service_pb.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { CALL_CONNECTION } from "./connection.ts";

export interface Credentials {
  /** Empty: callers of this machine need none. */
  readonly apiTokens: readonly string[];
  /** Where there are no tokens: callers from everywhere need none. */
  readonly isOpen: boolean;
}

type Call = Pick<HandlerContext, "requestHeader" | "service" | "method" | "values" | "url">;

const { challenge, prove } = NodeService.method;

/** Throws `permission_denied` for a page's call, of which no node serves any, and `unauthenticated`. "node": the call is between nodes. */
export function checkCaller(call: Call, { apiTokens, isOpen }: Credentials): "node" | "caller" {
  const { requestHeader, service, method } = call;
  const host = call.requestHeader.get("host") ?? URL.parse(call.url)?.host ?? "";
  const problem = foreignPage((name) => requestHeader.get(name), host, []);
  if (problem !== null) throw new ConnectError(problem, Code.PermissionDenied);
  if (service.typeName === Health.typeName) return "caller";
  const connection = call.values.get(CALL_CONNECTION);
  if (service.typeName === NodeService.typeName) {
    if (method.name === challenge.name || method.name === prove.name) return "caller";
    if (connection.proof.incarnation !== null) return "node";
    throw refusal("this call is between nodes, which prove on each connection that they are of this cluster");
  }
  const forwarder = requestHeader.get(FORWARDED);
  if (forwarder !== null) {
    if (connection.proof.incarnation === forwarder) return "node";
    throw refusal("this call says that a node has passed it on, and its connection does not prove which");
  }
  const token = bearerToken(requestHeader.get("authorization"));
  if (apiTokens.length > 0) {
    if (isOneOf(token, apiTokens)) return "caller";
    const why = token === null ? "none was sent" : "the one that was sent is not accepted";
    throw refusal(`this cluster asks for an API token: send \`Authorization: Bearer <token>\` (${why})`);
  }
  if (isOpen || connection.isLocal) return "caller";
  throw refusal(ONLY_LOCAL);
}

function refusal(message: string): ConnectError {
  return new ConnectError(message, Code.Unauthenticated, { "www-authenticate": "Bearer" });
}
