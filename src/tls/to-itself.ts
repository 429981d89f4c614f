import { X509Certificate } from "node:crypto";
import type { Certificates, Tls } from "./certificates.ts";

/**
 * How a process calls its own port at a loopback address, for which its certificate is hardly ever: by a name that is in it, and
 * believing also a certificate that has signed itself.
 */
export function toItself(tls: Tls): Tls {
  let known: Certificates | null = null;
  let own: Certificates | null = null;
  return {
    ...tls,
    certificates() {
      const now = tls.certificates();
      if (own !== null && now === known) return own;
      known = now;
      own = { ...now, ca: now.ca ?? selfSigned(now) };
      return own;
    },
    serverName: tls.serverName ?? nameIn(tls.certificates()),
  };
}

function selfSigned({ own }: Certificates): string | null {
  if (own === null) return null;
  const certificate = new X509Certificate(own.cert);
  return certificate.checkIssued(certificate) ? own.cert : null;
}

/** null: it is for addresses only. */
function nameIn({ own }: Certificates): string | null {
  if (own === null) return null;
  const { subjectAltName = "" } = new X509Certificate(own.cert);
  // For *.example.com, any name below it.
  return /DNS:([^,\s]+)/.exec(subjectAltName)?.[1]?.replace("*", "node") ?? null;
}
