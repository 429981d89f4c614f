/** Where a request goes: calls are `/Service/Method`, with the query of a GET behind; all else (probes, say) has another form. */
import type { NodeRequest } from "../connection.ts";

export function pathOfUrl({ url = "" }: Pick<NodeRequest, "url">): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}

/** Whether it may become a call. */
export function isCall(request: Pick<NodeRequest, "url" | "method">): boolean {
  return (
    request.method === "POST" || (request.method === "GET" && /^\/[^/]+\/[^/]+$/.test(pathOfUrl(request)))
  );
}
