/** Messages from the JSON that callers give, and to the JSON that they are given. */
import { type DescMessage, fromJson, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

export function fromInput<Desc extends DescMessage>(schema: Desc, json: string): MessageShape<Desc> {
  try {
    return fromJson(schema, JSON.parse(json) as JsonValue);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConnectError(message, Code.InvalidArgument, undefined, undefined, error);
  }
}

/** Fields that hold their default are written too: a caller finds `created: false`, not nothing. */
export function toOutput<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonValue {
  return toJson(schema, message, { alwaysEmitImplicit: true });
}
