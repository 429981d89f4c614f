/** Connections that this process opens by TLS, each with the certificates as they are by then. */
import tls, { type TLSSocket } from "node:tls";
import type { Tls } from "./certificates.ts";

/** Whom it believes, and what it shows where it is asked; as options of Node's `tls.connect`. */
export interface DialOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

export function dialOptions({ certificates, serverName }: Tls): DialOptions {
  const { own, ca } = certificates();
  return {
    ...(ca !== null && { ca }),
    ...(own !== null && { cert: own.cert, key: own.key }),
    ...(serverName !== null && { servername: serverName }),
  };
}

/** `authority`: a URL, whose host the certificate must name where no other name is set. */
export function connectHttp2(authority: URL, options: DialOptions): TLSSocket {
  const host = authority.hostname.replace(/^\[|\]$/g, "");
  const port = authority.port === "" ? 443 : Number(authority.port);
  return tls.connect({
    host,
    port,
    ALPNProtocols: ["h2"],
    // Node itself sends no address as a name, and is told so only by its absence.
    ...(isAddress(host) ? {} : { servername: host }),
    ...options,
  });
}

function isAddress(host: string): boolean {
  return host.includes(":") || /^[\d.]+$/.test(host);
}
