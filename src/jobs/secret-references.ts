/**
 * `{"$secret": "stripe"}` in a payload stands for a secret of the node that runs the job, and `{"$secret": "stripe", "prefix": "Bearer "}`
 * for the same after a text. The payload is stored, listed and logged as it was added; the value is there only while the handler runs.
 */
import { PermanentError } from "./define-jobs.ts";
import { ACCEPTED_SECRET_NAMES, isSecretName } from "./secret-files.ts";

const KEY = "$secret";
const PREFIX = "prefix";
const IN_JSON = `"${KEY}"`;

/** Gives a secret's value; throws what a job can be told. */
export type ReadSecret = (name: string) => string;

/** What built-in handlers have of a node's secrets. */
export interface JobSecrets {
  readonly read: ReadSecret;
  /** At most so many characters of a text's beginning, without secrets, nor a part of one. */
  head(text: string, length: number): string;
  /** A text that was cut at its end, without the beginning of a secret there. */
  cut(text: string): string;
}

/** False: it has none, for sure. Each payload is asked. */
export function mayHaveReferences(payload: string | null | undefined): boolean {
  return payload?.includes(IN_JSON) === true;
}

/** A copy of what JSON can carry, with the values of secrets in it. `path`: where it stands, for messages. */
export function withSecrets(value: unknown, read: ReadSecret, path = "payload"): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item, index) => withSecrets(item, read, `${path}.${index}`));
  const entries = Object.entries(value);
  if (isReference(entries)) return valueOf(new Map(entries), read, path);
  // Such as a number that is kept as text: it is one value, and has a mark that a copy has not.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, item] of entries) {
    // Assigned plainly, __proto__ would be no key of the copy.
    Object.defineProperty(copy, name, {
      value: withSecrets(item, read, `${path}.${name}`),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy;
}

/** With other keys beside it, it is somebody's own object. */
function isReference(entries: readonly (readonly [string, unknown])[]): boolean {
  return entries.some(([key]) => key === KEY) && entries.every(([key]) => key === KEY || key === PREFIX);
}

function valueOf(reference: ReadonlyMap<string, unknown>, read: ReadSecret, path: string): string {
  const name = reference.get(KEY);
  const prefix = reference.get(PREFIX) ?? "";
  if (typeof name !== "string" || !isSecretName(name)) {
    throw new PermanentError(`${path}.${KEY}: must be the name of a secret: ${ACCEPTED_SECRET_NAMES}`);
  }
  if (typeof prefix !== "string") throw new PermanentError(`${path}.${PREFIX}: must be text`);
  try {
    return `${prefix}${read(name)}`;
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
