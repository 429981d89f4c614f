/**
 * The TLS side of a port: the handshake, with the certificates as they are by then, and by ALPN what is spoken in it. Who
 * shows no certificate that is asked for, or a wrong one, gets no further than the handshake: nothing of HTTP is read for him.
 */
import type { Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import type { Logger } from "../core/logger.ts";
import type { Certificates } from "./certificates.ts";

export interface TlsPort {
  /** Of a connection that begins a handshake. */
  accept(socket: Socket): void;
}

export function createTlsPort(options: {
  readonly certificates: () => Certificates;
  readonly handshakeMs: number;
  readonly logger: Pick<Logger, "debug">;
  /** `socket`: the connection under it, as it was accepted. */
  readonly take: (secured: TLSSocket, socket: Socket, isHttp2: boolean) => void;
}): TlsPort {
  const { certificates, handshakeMs, logger, take } = options;
  let shown = certificates();
  const asksForCertificate = shown.clientCa !== null;
  const server = tls.createServer({
    ...contextOf(shown),
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: handshakeMs,
    requestCert: asksForCertificate,
    rejectUnauthorized: asksForCertificate,
  });
  // Node names the connection under a TLS socket nowhere; its two ends do.
  const shaking = new Map<string, Socket>();
  server.on("secureConnection", (secured) => {
    const ends = endsOf(secured);
    const socket = shaking.get(ends);
    shaking.delete(ends);
    if (socket === undefined) return void secured.destroy();
    take(secured, socket, secured.alpnProtocol === "h2");
  });
  server.on("tlsClientError", (error, secured) => {
    logger.debug({ error }, "a TLS handshake failed");
    secured.destroy();
  });
  return {
    accept(socket) {
      const now = certificates();
      if (now !== shown) {
        shown = now;
        server.setSecureContext(contextOf(now));
      }
      const ends = endsOf(socket);
      shaking.set(ends, socket);
      socket.once("close", () => {
        if (shaking.get(ends) === socket) shaking.delete(ends);
      });
      server.emit("connection", socket);
    },
  };
}

function contextOf({ own, clientCa }: Certificates): tls.SecureContextOptions {
  if (own === null) throw new Error("a port without a certificate speaks no TLS");
  return { cert: own.cert, key: own.key, ...(clientCa !== null && { ca: clientCa }) };
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
