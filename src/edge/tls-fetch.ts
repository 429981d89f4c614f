/**
 * `fetch` for calls to nodes by TLS with certificates of one's own, which the global one can't be given. Each connection has them as
 * they are by then; calls under way keep theirs.
 */
import type { Certificates, Tls } from "../tls/certificates.ts";
import { dialOptions } from "../tls/connect.ts";
import { tlsFailure } from "../tls/tls-failure.ts";

/** The edge's own patience is told to each call; with a limit here, a stream that says nothing for so long would be cut. */
const NO_LIMIT = 0;
const MOST_ALERTS = 100;

export async function tlsFetch(tls: Tls): Promise<typeof globalThis.fetch> {
  // Loaded here, so that an edge that has no need of it does without.
  const { Agent, buildConnector, fetch } = await import("undici");
  /** By local port: what the other side said of a connection when it ended it, which a call on it is not told. */
  const alerts = new Map<number, Error>();
  const agentOf = () => {
    // A connection for each call under way, as in the clear: those of many callers on one would share its end.
    const connect = buildConnector({ ...dialOptions(tls), allowH2: false });
    return new Agent({
      allowH2: false,
      headersTimeout: NO_LIMIT,
      bodyTimeout: NO_LIMIT,
      connect: (options, callback) =>
        connect(options, (...made) => {
          const [, socket] = made;
          const port = socket?.localPort;
          socket?.once("error", (error) => {
            if (port === undefined || tlsFailure(error) === null) return;
            if (alerts.size >= MOST_ALERTS) alerts.clear();
            alerts.set(port, error);
          });
          callback(...made);
        }),
    });
  };
  let known: Certificates = tls.certificates();
  let agent = agentOf();
  const secured = async (...[input, init]: Parameters<typeof fetch>) => {
    const now = tls.certificates();
    if (now !== known) {
      known = now;
      void agent.close().catch(() => {});
      agent = agentOf();
    }
    try {
      return await fetch(input, { ...init, dispatcher: agent });
    } catch (error) {
      const port = localPortOf(error);
      const alert = alerts.get(port);
      alerts.delete(port);
      throw alert === undefined ? error : new TypeError("fetch failed", { cause: alert });
    }
  };
  // The same interface by another name: its types and the global ones differ in what nobody uses here.
  return secured as unknown as typeof globalThis.fetch;
}

/** Of the connection that broke under a call; -1: none did. */
function localPortOf(error: unknown): number {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error) || !("socket" in cause)) return -1;
  const { localPort } = cause.socket as { readonly localPort?: number };
  return localPort ?? -1;
}
