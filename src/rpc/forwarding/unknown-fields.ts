import type { Message } from "@bufbuild/protobuf";
import { ElasticJobError } from "../../core/errors.ts";
import { type CallContext, isForwarded } from "./master-call.ts";

/**
 * The name of the first message in `message` that carries a field this program does not know, with the
 * field's number; null: none. A newer node may forward such a message: acting on half of it would be wrong.
 */
export function findUnknownField(message: Message): string | null {
  const [unknown] = message.$unknown ?? [];
  if (unknown !== undefined) return `${message.$typeName} field ${unknown.no}`;
  for (const value of Object.values(message)) {
    const found = findIn(value);
    if (found !== null) return found;
  }
  return null;
}

/** Throws for a call that another node forwarded; any other's are refused where they are decoded. */
export function refuseUnknownFields(request: Message, context: CallContext): void {
  const unknown = isForwarded(context) ? findUnknownField(request) : null;
  if (unknown !== null) throw unknownFieldError(unknown);
}

export function unknownFieldError(field: string): ElasticJobError {
  const message = `${field} is not known to the master, which runs an older version; leave it out or upgrade`;
  return new ElasticJobError("failed_precondition", message);
}

function findIn(value: unknown): string | null {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return null;
  if (isMessage(value)) {
    // Google's own types (a payload above all) are the same for every version.
    return value.$typeName.startsWith("google.protobuf.") ? null : findUnknownField(value);
  }
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    const found = findIn(item);
    if (found !== null) return found;
  }
  return null;
}

function isMessage(value: object): value is Message {
  return "$typeName" in value && typeof value.$typeName === "string";
}
