import { type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import type { Decode } from "../../core/request/json-problems.ts";

/** As it is done for calls. The descriptors are protobuf's own here. */
export const decodeJson: Decode = (schema, json) =>
  fromJson(schema as DescMessage, json as JsonValue, { ignoreUnknownFields: false });
