/**
 * Who may call what, told before a call's body is read, in every protocol alike:
 * - between nodes (NodeService, and any call marked as forwarded): the cluster secret;
 * - how the node stands (gRPC's Health, as /healthz and /readyz): nothing, as whoever probes it has no token;
 * - all else: an API token, or the cluster secret.
 * What nobody has set, nobody is asked for; but without a secret, a node that asks for API tokens has no
 * way to tell nodes from strangers, and refuses both.
 */
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { bearerToken, isOneOf } from "../core/bearer-token.ts";
import { FORWARDED } from "../core/call-headers.ts";
import { NodeService } from "../gen/elasticjob/v1/node_service_pb.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";

export interface Credentials {
  /** Empty: the API is open to everybody. */
  readonly apiTokens: readonly string[];
  /** The first is sent to other nodes; any is accepted, so that it can be changed while nodes run. */
  readonly clusterSecrets: readonly string[];
}

export const NO_CREDENTIALS: Credentials = { apiTokens: [], clusterSecrets: [] };

type Call = Pick<HandlerContext, "requestHeader" | "service">;

/** Throws `unauthenticated`. "node": the call is between nodes. */
export function checkCaller({ requestHeader, service }: Call, credentials: Credentials): "node" | "caller" {
  const { apiTokens, clusterSecrets } = credentials;
  if (service.typeName === Health.typeName) return "caller";
  const token = bearerToken(requestHeader.get("authorization"));
  if (service.typeName === NodeService.typeName || requestHeader.has(FORWARDED)) {
    const isOpen = apiTokens.length === 0 && clusterSecrets.length === 0;
    if (isOpen || isOneOf(token, clusterSecrets)) return "node";
    throw refusal(
      "this call is between nodes, and asks for the CLUSTER_SECRET that all of them share",
      token,
    );
  }
  if (apiTokens.length === 0 || isOneOf(token, [...apiTokens, ...clusterSecrets])) return "caller";
  throw refusal("this cluster asks for an API token: send `Authorization: Bearer <token>`", token);
}

function refusal(message: string, token: string | null): ConnectError {
  const why = token === null ? "none was sent" : "the one that was sent is not accepted";
  return new ConnectError(`${message} (${why})`, Code.Unauthenticated, { "www-authenticate": "Bearer" });
}

/** What a node says of itself when it calls another. */
export function sendClusterSecret({ clusterSecrets: [secret] }: Credentials): Interceptor[] {
  if (secret === undefined) return [];
  return [
    (next) => (request) => {
      request.header.set("authorization", `Bearer ${secret}`);
      return next(request);
    },
  ];
}
