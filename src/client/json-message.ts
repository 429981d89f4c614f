/** Messages from the JSON that callers give, and to the JSON that they are given. */
import { type DescMessage, fromJson, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { withProtoDurations } from "../core/plain-durations.ts";

export function fromInput<Desc extends DescMessage>(schema: Desc, json: string): MessageShape<Desc> {
  try {
    return decode(schema, JSON.parse(json) as JsonValue);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConnectError(message, Code.InvalidArgument, undefined, undefined, error);
  }
}

/** Durations such as "3m" are none of protobuf's: what they are is only looked up when the rest does not do. */
function decode<Desc extends DescMessage>(schema: Desc, given: JsonValue): MessageShape<Desc> {
  try {
    return fromJson(schema, given);
  } catch (error) {
    const plain = withProtoDurations(schema, given);
    if (plain === given) throw error;
    return fromJson(schema, plain);
  }
}

/** Fields that hold their default are written too: a caller finds `created: false`, not nothing. */
export function toOutput<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonValue {
  return toJson(schema, message, { alwaysEmitImplicit: true });
}
