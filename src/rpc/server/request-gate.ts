import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { CALL_CONNECTION } from "../connection.ts";

/**
 * Refuses an empty JSON body before it is read: the parser would only say "unexpected end of JSON
 * input", which does not help somebody who called `curl` without `-d`.
 */
export function refuseEmptyJson(context: HandlerContext): void {
  if (context.requestMethod !== "POST") return;
  const type = context.requestHeader.get("content-type") ?? "";
  const empty =
    context.requestHeader.get("content-length") === "0" ||
    // HTTP/1.1: neither header means that there is no body.
    (context.values.get(CALL_CONNECTION).http1 &&
      !context.requestHeader.has("content-length") &&
      !context.requestHeader.has("transfer-encoding"));
  if (!empty || !/^application\/json\b/i.test(type)) return;
  const example = context.method.name === "AddJob" ? `{"handler": "echo"}` : "{}";
  const required = context.method.name === "AddJob" ? " (only `handler` is required)" : "";
  throw new ConnectError(
    `the body is empty; ${context.method.name} takes a JSON object, at least ${example}${required}`,
    Code.InvalidArgument,
  );
}
