import type { GetJobRequest, GetJobResponse } from "../gen/elasticjob/v1/node_service_pb.ts";

/** About what one entry of a message takes on the wire, beside its texts and its payload. */
const ENTRY_BYTES = 100;

/** About how long a stream's message is: close enough for a bound, and far cheaper than writing it twice. */
export function messageSize({ message }: GetJobRequest | GetJobResponse): number {
  switch (message.case) {
    case "assign":
      return message.value.assignments.reduce(
        (sum, { payload, name, handler, placement }) =>
          sum + ENTRY_BYTES + payload.length + name.length + handler.length + placement.length,
        ENTRY_BYTES,
      );
    case "hello":
    case "done":
    case "verdicts":
      return ENTRY_BYTES * (10 + message.value.claims.length);
    default:
      return ENTRY_BYTES;
  }
}
