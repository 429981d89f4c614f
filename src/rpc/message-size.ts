import type { GetJobRequest, GetJobResponse } from "../gen/elasticjob/v1/node_service_pb.ts";

/** About what one entry of a message takes on the wire, beside its texts and its payload. */
const ENTRY_BYTES = 100;
/** What a number, or what holds other fields together, is taken for. */
const FIELD_BYTES = 8;

/** About how long a stream's message is: close enough for a bound, and far cheaper than writing it twice. */
export function messageSize({ message }: GetJobRequest | GetJobResponse): number {
  switch (message.case) {
    case "assign":
      return (
        ENTRY_BYTES * (1 + message.value.jobId.length) +
        lengthOf(message.value.payload) +
        lengthOf(message.value.text)
      );
    case "done":
      return ENTRY_BYTES * (1 + message.value.jobId.length);
    case "hello":
    case "verdicts":
      return ENTRY_BYTES * (10 + message.value.claims.length);
    default:
      return ENTRY_BYTES;
  }
}

/** About as much as any message takes, on the wire or in memory: each of its texts, and a little for all else. */
export function roughSize(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return FIELD_BYTES;
  if (value instanceof Uint8Array) return value.byteLength;
  let bytes = FIELD_BYTES;
  for (const [name, field] of Object.entries(value)) {
    if (name !== "$typeName") bytes += roughSize(field);
  }
  return bytes;
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
