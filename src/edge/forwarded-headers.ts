/** About one connection, not about the call (RFC 9110, 7.6.1); or set anew by `fetch`. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "content-length",
  "expect",
];

/** The edge has checked what page it is from; a node must not take the call for one from a browser. */
const CHECKED_HERE = ["origin", "referer", "cookie"];
/** Without the origin, a node would refuse the page of another site that the edge has let in. */
const SAID_OF_PAGES = "sec-fetch-";

/** What nodes tell each other (that a call was forwarded, say) is not for callers to claim. */
const BETWEEN_NODES = "elastic-job-";

export function requestHeaders(incoming: Headers): Headers {
  const headers = withoutHopByHop(
    incoming,
    (name) =>
      !CHECKED_HERE.includes(name) && !name.startsWith(SAID_OF_PAGES) && !name.startsWith(BETWEEN_NODES),
  );
  // `fetch` decompresses whole responses; asking for none keeps the bytes as the node wrote them.
  headers.set("accept-encoding", "identity");
  return headers;
}

/**
 * The edge alone decides who may read its answers. `content-encoding` would be untrue if a proxy between
 * edge and node compressed the body after all.
 */
export function responseHeaders(incoming: Headers): Headers {
  return withoutHopByHop(
    incoming,
    (name) => name !== "content-encoding" && !name.startsWith("access-control-"),
  );
}

function withoutHopByHop(incoming: Headers, passesOn: (name: string) => boolean): Headers {
  const named = (incoming.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return new Headers([...incoming].filter(([name]) => !dropped.has(name) && passesOn(name)));
}
