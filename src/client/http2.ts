import { createConnectTransport } from "@connectrpc/connect-node";
import type { DuplexTransport } from "./elastic-job-client.ts";

/**
 * For Node: one HTTP/2 connection to a node instead of `fetch`, for callers that add a great many
 * jobs. Not for the edge, which speaks HTTP/1.1. Pings find a connection that has died silently.
 */
export function createHttp2Transport(baseUrl: string): DuplexTransport {
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: "2",
    // Such callers stand close to the node: compressing would cost more than it saves.
    acceptCompression: [],
    pingIntervalMs: 5_000,
    pingTimeoutMs: 2_000,
  });
  return { ...transport, isDuplex: true };
}
