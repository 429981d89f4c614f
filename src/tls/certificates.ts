/** What a process shows of itself by TLS, and whom it believes: texts in PEM, checked before any of them is used. */
import { createPrivateKey, X509Certificate } from "node:crypto";

export interface Certificates {
  /** The certificate of this process, those that lead from it to an authority, and its key. null: it has none, and only calls. */
  readonly own: { readonly cert: string; readonly key: string } | null;
  /** What signs the certificates of those that it calls; null: whoever Node.js trusts. */
  readonly ca: string | null;
  /** What signs the certificates of its callers; null: they need none. */
  readonly clientCa: string | null;
}

/**
 * Plaintext, beside TLS, for the time in which the nodes of a cluster change from one to the other:
 * - `off`: none is answered, none is spoken;
 * - `accept`: it is answered, and other nodes are called by TLS;
 * - `dial`: it is answered, and other nodes are called by it.
 */
export const PLAIN = ["off", "accept", "dial"] as const;
export type Plain = (typeof PLAIN)[number];

/** How a process uses TLS. */
export interface Tls {
  /** As they are by now; the same object as long as nothing has changed. */
  readonly certificates: () => Certificates;
  /** The name that the certificates of those that it calls must have; null: the host that it calls them by. */
  readonly serverName: string | null;
  readonly plain: Plain;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Of PEM text: one at least. Throws an error that says what is wrong with it. */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(BLOCK) ?? [];
  if (blocks.length === 0) throw new Error("it has no certificate in PEM (-----BEGIN CERTIFICATE-----)");
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new Error(`its certificate ${index + 1} cannot be read`, { cause });
    }
  });
}

/** Throws an error that says what is wrong: a server must not begin to show what nobody can take. */
export function checkPair(cert: string, key: string): void {
  const [own] = certificatesIn(cert);
  if (own?.checkPrivateKey(readKey(key)) !== true) {
    throw new Error("the key does not belong to the certificate");
  }
}

function readKey(key: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(key);
  } catch (cause) {
    // Not the cause's own words: who mistakes one file for another may have any secret in it.
    throw new Error("the key cannot be read: a private key in PEM, without a passphrase, is accepted", {
      cause,
    });
  }
}

/** What of the certificates is out of date, in words; null: nothing. */
export function outOfDate(pem: string, now: number): string | null {
  const found = certificatesIn(pem).find(
    ({ validFromDate, validToDate }) => now < validFromDate.getTime() || now > validToDate.getTime(),
  );
  if (found === undefined) return null;
  const name = found.subject.replaceAll("\n", ", ");
  return `the certificate of ${name} is valid from ${found.validFromDate.toISOString()} to ${found.validToDate.toISOString()} only`;
}
