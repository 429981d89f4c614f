/** Whether a master would answer an add now, as it tells the nodes. */
import { create } from "@bufbuild/protobuf";
import type { Silence } from "../core/readiness/silence.ts";
import {
  type GetJobResponse,
  GetJobResponseSchema,
  type Standing,
  StandingSchema,
  Silence as Wire,
} from "../gen/elasticjob/v1/node_service_pb.ts";

const TO_WIRE = {
  silent: Wire.NO_ANSWER,
  errors: Wire.ERRORS,
  refused: Wire.REFUSED,
  unconfirmed: Wire.UNCONFIRMED,
} as const satisfies Record<Silence["how"], Wire>;

/** null: it would. */
export function standingMessage(silence: Silence | null): GetJobResponse {
  const value =
    silence === null
      ? create(StandingSchema)
      : create(StandingSchema, {
          waitsFor: silence.who,
          silence: TO_WIRE[silence.how],
          silentMs: silence.ms,
          why: silence.why ?? "",
        });
  return create(GetJobResponseSchema, { message: { case: "standing", value } });
}

const FROM_WIRE: Readonly<Partial<Record<Wire, Silence["how"]>>> = {
  [Wire.ERRORS]: "errors",
  [Wire.REFUSED]: "refused",
  [Wire.UNCONFIRMED]: "unconfirmed",
};

export function silenceOf({ waitsFor, silence, silentMs, why }: Standing): Silence | null {
  if (waitsFor === "") return null;
  const how = FROM_WIRE[silence] ?? "silent";
  return { who: waitsFor, how, ms: silentMs, ...(why !== "" && { why }) };
}
