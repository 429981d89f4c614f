/** A payload as a request has it: as a Value, or as JSON text. */
import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Problem } from "../../core/errors.ts";
import type { SpecLimits } from "../../core/spec/job-spec.ts";
import { checkJsonText, jsonTextFromValue } from "./json-value.ts";

/** Escapes make a text up to three times as long as what it says. */
const MOST_ESCAPED = 3;
const ALWAYS_PARSED = 64 * 1024;

/** The longest text of a payload that is looked at: one that is longer is refused for that, and need not be read to its end. */
export function mostCharacters(maxPayloadBytes: number): number {
  return Math.max(maxPayloadBytes * MOST_ESCAPED, ALWAYS_PARSED);
}

export interface PayloadFields {
  readonly payload?: Value | undefined;
  readonly payloadJson?: string | undefined;
}

/** As JSON text. Null: there is none, or it is not valid, which is then one of the problems. `textField`: as its caller knows the text. */
export function payloadText(
  { payload, payloadJson }: PayloadFields,
  problems: Problem[],
  limits?: SpecLimits,
  textField = "payloadJson",
): string | null {
  if (payloadJson === undefined) return jsonTextFromValue("payload", payload, problems);
  if (limits !== undefined && payloadJson.length > mostCharacters(limits.maxPayloadBytes)) return payloadJson;
  if (payload !== undefined) {
    problems.push({
      field: "payloadJson",
      message: "is given beside payload; one of payload and payloadJson is accepted",
    });
  }
  return checkJsonText(textField, payloadJson, problems);
}

/** One of them where both are the same: a job that was read as JSON has both, and can be sent back. */
export function onePayload({ payload, payloadJson }: PayloadFields): PayloadFields {
  const isTwice = payload !== undefined && payloadJson !== undefined && isSame(payload, payloadJson);
  return isTwice ? { payloadJson } : { payload, payloadJson };
}

/** As far as doubles tell. */
function isSame(payload: Value, text: string): boolean {
  try {
    return JSON.stringify(toJson(ValueSchema, payload)) === JSON.stringify(JSON.parse(text) as JsonValue);
  } catch {
    return false;
  }
}
