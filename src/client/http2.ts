import { createConnectTransport } from "@connectrpc/connect-node";
import type { DuplexTransport } from "./elastic-job-client.ts";

/** Texts in PEM, for a node at `https://…`. */
export interface TlsOptions {
  /** The certificates that sign the node's; default: those that Node.js trusts. */
  readonly ca?: string;
  /** What is shown to a node that asks for a certificate, and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the node's certificate must have; default: the host in the address. */
  readonly serverName?: string;
}

/**
 * For Node: one HTTP/2 connection to a node instead of `fetch`, for callers that add a great many
 * jobs. Not for an edge, which speaks HTTP/1.1 where it has no TLS. Pings find a connection that has died silently.
 */
export function createHttp2Transport(
  baseUrl: string,
  { tls = {} }: { readonly tls?: TlsOptions } = {},
): DuplexTransport {
  const { serverName, ...certificates } = tls;
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: "2",
    nodeOptions: { ...certificates, ...(serverName !== undefined && { servername: serverName }) },
    // Such callers stand close to the node: compressing would cost more than it saves.
    acceptCompression: [],
    pingIntervalMs: 5_000,
    pingTimeoutMs: 2_000,
  });
  return { ...transport, isDuplex: true };
}
