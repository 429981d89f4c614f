import type { Transport } from "@connectrpc/connect";
import type { DialOptions } from "../tls/connect.ts";

/**
 * For Node: over HTTP/1.1, which nodes, edges and whatever stands before them take, with certificates of one's own, which `fetch`
 * can't be given. Loaded by the first call, as `lazy-client.ts` is.
 */
export function createTlsTransport(baseUrl: string, nodeOptions: DialOptions): Transport {
  let loading: Promise<Transport> | undefined;
  const load = () => {
    loading ??= import("@connectrpc/connect-node").then(({ createConnectTransport }) =>
      createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
    );
    return loading;
  };
  return {
    unary: async (...call) => (await load()).unary(...call),
    stream: async (...call) => (await load()).stream(...call),
  };
}
