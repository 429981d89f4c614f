/** What the edge passes on: Connect (unary and streams) and gRPC-Web, as JSON or binary. */
const PASSED_ON =
  /^application\/(json|proto|connect\+json|connect\+proto|grpc-web(-text)?(\+(proto|json))?)$/;

/** What `curl -d` says of any body, and what says nothing. */
const TAKEN_AS_JSON = new Set(["", "application/x-www-form-urlencoded"]);

/** The content type to call the node with; null: not one that it would understand. */
export function acceptedContentType(contentType: string | null): string | null {
  const mediaType = (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (TAKEN_AS_JSON.has(mediaType)) return "application/json";
  return PASSED_ON.test(mediaType) ? contentType : null;
}

export function refusedContentType(contentType: string | null): string {
  if (contentType?.startsWith("application/grpc") && !contentType.startsWith("application/grpc-web")) {
    return "Content-Type: gRPC needs HTTP/2 with trailers, which the edge does not pass on; call a node directly, or use gRPC-Web or Connect";
  }
  return `Content-Type: "${contentType}" is not accepted; send application/json (or none), application/proto, application/connect+json, application/connect+proto, or application/grpc-web`;
}
