/** The secrets in a call: where they stand, and how far they may go. */
import { PermanentError } from "./define-jobs.ts";
import { checkSecretHost, type SecretHosts } from "./secret-hosts.ts";
import { type JobSecrets, withSecrets } from "./secret-references.ts";

export interface SentSecrets {
  /** The payload with the values in it. */
  readonly payload: unknown;
  /** Headers that hold one: they are for the first host alone. */
  readonly headers: readonly string[];
  readonly isInBody: boolean;
  /** Throws unless each may be sent to the host of this URL. */
  checkHost(url: URL): void;
}

/** Of a header's value. Visible characters, spaces and tabs, as one byte each. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** `given`: as it was added. */
export function sentSecrets(
  given: unknown,
  known: Pick<JobSecrets, "read">,
  hosts: SecretHosts,
): SentSecrets {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return none(given);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object has keys
  const payload: Record<string, unknown> = { ...(given as Record<string, unknown>) };
  const all = new Set<string>();
  /** Takes the values into a part of the payload, and says whether there were any. */
  const resolve = (value: unknown, path: string) => {
    let isSecret = false;
    const read = (name: string) => {
      isSecret = true;
      all.add(name);
      return known.read(name);
    };
    return { value: withSecrets(value, read, path), isSecret };
  };
  // Nowhere else a text of somebody's is sent.
  const url = resolve(payload["url"], "payload.url");
  const body = resolve(payload["body"], "payload.body");
  if ("url" in payload) payload["url"] = url.value;
  if ("body" in payload) payload["body"] = body.value;
  const headers: string[] = [];
  if (typeof payload["headers"] === "object" && payload["headers"] !== null) {
    const resolved = Object.entries(payload["headers"]).map(([name, text]) => {
      const path = `payload.headers.${name}`;
      const header = resolve(text, path);
      if (header.isSecret) {
        headers.push(name);
        checkHeader(header.value, path);
      }
      return [name, header.value] as const;
    });
    payload["headers"] = Object.fromEntries(resolved);
  }
  return {
    payload,
    headers,
    isInBody: body.isSecret,
    checkHost(to) {
      // A secret that is taken for a host is no longer written as it was.
      for (const name of all)
        checkSecretHost(name, to, hosts, url.isSecret ? "the host of payload.url" : to.host);
    },
  };
}

/** A body goes along with some redirects; a secret in it may not leave the host that it was meant for. */
export function refuseToCarryBody(from: URL, to: URL): never {
  throw new PermanentError(
    `${from.origin} redirects to ${to.origin}, and the body holds a secret, which is for the first host alone`,
  );
}

/** Other messages of this would show the value. */
function checkHeader(value: unknown, path: string): void {
  if (typeof value !== "string" || HEADER_VALUE.test(value)) return;
  throw new PermanentError(`${path}: the secret has characters that a header cannot carry, as line ends`);
}

function none(payload: unknown): SentSecrets {
  return { payload, headers: [], isInBody: false, checkHost: () => {} };
}
