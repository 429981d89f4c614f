/** The secrets in a call: where they stand, and how far they may go. */
import { PermanentError } from "./define-jobs.ts";
import { checkSecretHost, type SecretHosts } from "./secret-hosts.ts";
import { type ReadSecret, withSecrets } from "./secret-references.ts";

export interface SentSecrets {
  /** The payload with the values in it. */
  readonly payload: unknown;
  /** Headers that hold one: they are for the first host alone. */
  readonly headers: readonly string[];
  readonly isInBody: boolean;
  /** Throws unless each may be sent to the host of this URL. */
  checkHost(url: URL): void;
}

/** `given`: as it was added. */
export function sentSecrets(given: unknown, read: ReadSecret, hosts: SecretHosts): SentSecrets {
  const { names, reading } = recorder(read);
  if (typeof given !== "object" || given === null || Array.isArray(given)) return none(given);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object has keys
  const payload: Record<string, unknown> = { ...(given as Record<string, unknown>) };
  // Nowhere else a text of somebody's is sent.
  if (payload["url"] !== undefined) payload["url"] = withSecrets(payload["url"], reading, "payload.url");
  const headers: string[] = [];
  if (typeof payload["headers"] === "object" && payload["headers"] !== null) {
    const resolved = Object.entries(payload["headers"]).map(([name, value]) => {
      const text = withSecrets(value, reading, `payload.headers.${name}`);
      if (text !== value) headers.push(name);
      return [name, text] as const;
    });
    payload["headers"] = Object.fromEntries(resolved);
  }
  const inBody = recorder(read);
  if (payload["body"] !== undefined)
    payload["body"] = withSecrets(payload["body"], inBody.reading, "payload.body");
  const all = new Set([...names, ...inBody.names]);
  return {
    payload,
    headers,
    isInBody: inBody.names.size > 0,
    checkHost(url) {
      for (const name of all) checkSecretHost(name, url, hosts);
    },
  };
}

/** A body goes along with some redirects; a secret in it may not leave the host that it was meant for. */
export function refuseToCarryBody(from: URL, to: URL): never {
  throw new PermanentError(
    `${from.origin} redirects to ${to.origin}, and the body holds a secret, which is for the first host alone`,
  );
}

function none(payload: unknown): SentSecrets {
  return { payload, headers: [], isInBody: false, checkHost: () => {} };
}

function recorder(read: ReadSecret) {
  const names = new Set<string>();
  const reading: ReadSecret = (name) => {
    const value = read(name);
    names.add(name);
    return value;
  };
  return { names, reading };
}
