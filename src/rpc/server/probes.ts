/** What container platforms ask, of everybody and without a token: it shows nothing of jobs or nodes. */
import type { Role } from "../../master/election/role.ts";
import type { NodeHandler, NodeRequest, NodeResponse } from "../connection.ts";
import { refuse } from "./refuse.ts";

/**
 * `/healthz`: the process answers; one that does not is to be restarted. `/readyz`: calls make sense here, as it
 * knows a master and is not stopping; else 503.
 */
export function answerProbe(options: {
  readonly role: Role;
  readonly closing: AbortSignal;
  readonly otherwise: NodeHandler;
}): NodeHandler {
  const { role, closing, otherwise } = options;
  return (request: NodeRequest, response: NodeResponse) => {
    const path = (request.url ?? "").split("?")[0];
    if (request.method !== "GET" || (path !== "/healthz" && path !== "/readyz")) {
      return otherwise(request, response);
    }
    if (path === "/readyz" && closing.aborted) {
      return refuse(response, 503, "unavailable", "this node is stopping");
    }
    const { kind } = role.now();
    if (path === "/readyz" && kind === "none") {
      return refuse(response, 503, "unavailable", "no master right now");
    }
    response.writeHead(200, { "content-type": "text/plain" });
    response.end(path === "/healthz" ? "ok\n" : `ready: ${kind}\n`);
  };
}
