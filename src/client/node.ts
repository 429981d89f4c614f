import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";

/**
 * For Node: one HTTP/2 connection to a node instead of `fetch`, for callers that add a great many
 * jobs. Not for the edge, which speaks HTTP/1.1. Pings find a connection that has died silently.
 */
export function createHttp2Transport(baseUrl: string): Transport {
  return createConnectTransport({ baseUrl, httpVersion: "2", pingIntervalMs: 5_000, pingTimeoutMs: 2_000 });
}
