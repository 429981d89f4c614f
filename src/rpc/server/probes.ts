/** What container platforms ask, of everybody and without a token: it shows nothing of jobs or nodes. */
import type { WhyNotReady } from "../../core/readiness/why-not-ready.ts";
import type { Role } from "../../master/election/role.ts";
import type { NodeHandler, NodeRequest, NodeResponse } from "../connection.ts";
import { refuse } from "./refuse.ts";

/**
 * `/healthz`: the process answers; one that does not is to be restarted. `/readyz`: an add would be answered now; else
 * 503 and the reason. Restarting a node for that would help nobody.
 */
export function answerProbe(options: {
  readonly role: Role;
  readonly whyNotReady: WhyNotReady;
  readonly closing: AbortSignal;
  readonly otherwise: NodeHandler;
}): NodeHandler {
  const { role, whyNotReady, closing, otherwise } = options;
  return (request: NodeRequest, response: NodeResponse) => {
    const path = (request.url ?? "").split("?")[0];
    if (request.method !== "GET" || (path !== "/healthz" && path !== "/readyz")) {
      return otherwise(request, response);
    }
    const isHealth = path === "/healthz";
    const why = isHealth ? null : closing.aborted ? "this node is stopping" : whyNotReady();
    if (why !== null) return refuse(response, 503, "unavailable", why);
    response.writeHead(200, { "content-type": "text/plain" });
    response.end(isHealth ? "ok\n" : `ready: ${role.now().kind}\n`);
  };
}
