import { createHash } from "node:crypto";
import type { HandlerSchemas } from "../contract/json-schemas.ts";

/** The same for the same schemas, on whichever node; empty: there are none. */
export function schemasDigest(schemas: readonly HandlerSchemas[]): string {
  if (schemas.length === 0) return "";
  const rows = schemas.map(({ handler, payload, output }) => [handler, payload, output]);
  return createHash("sha256").update(JSON.stringify(rows)).digest("base64url");
}
