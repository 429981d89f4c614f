/** Jobs to add, from what callers give to the table that travels: what many have in common is checked and sent once. */
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { parseExact } from "../core/json/exact-numbers.ts";
import { jsonTextProblem } from "../core/json/json-text-problem.ts";
import { jsonForValue } from "../core/json/value-json.ts";
import {
  type AddJobRequest,
  AddJobRequestSchema,
  type JobTable,
} from "../gen/elasticjob/v1/job_service_pb.ts";
import type { AddJobInput } from "./job-json.ts";
import { fromInput, inputText, valueText } from "./json-message.ts";

/** A job on its way. */
export interface TableJob {
  /** All but its payload; the same object for jobs that have all that in common. */
  readonly template: AddJobRequest;
  /** JSON text; empty: none. */
  readonly payload: string;
  /** Size as JSON, in UTF-16 units. */
  readonly size: number;
}

/** Jobs that differ in a time or a key have a template each. */
const MAX_TEMPLATES = 1_000;

export class Templates {
  private readonly known = new Map<string, AddJobRequest>();

  /** Throws `invalid_argument` for what is no job. */
  tableJob(job: AddJobInput): TableJob {
    // No object at all: as JSON it is refused by name.
    if (typeof job !== "object" || job === null || Array.isArray(job)) {
      fromInput(AddJobRequestSchema, valueText(job));
    }
    if ("toJSON" in job) {
      const json = inputText(job);
      return this.tableJob((json === undefined ? undefined : parseExact(json)) as AddJobInput);
    }
    const { payload, payloadJson, ...common } = job;
    const text = inputText(common) ?? "";
    // Undefined for what JSON leaves out.
    const payloadText = payloadJson === undefined ? (valueText(payload) ?? "") : checkedText(job);
    return { template: this.template(text), payload: payloadText, size: text.length + payloadText.length };
  }

  private template(text: string): AddJobRequest {
    let template = this.known.get(text);
    if (template === undefined) {
      template = fromInput(AddJobRequestSchema, text);
      if (this.known.size >= MAX_TEMPLATES) this.known.clear();
      this.known.set(text, template);
    }
    return template;
  }
}

/** As text; what is not in order there is refused here, where it can be told from none, and from what was changed on the way. */
function checkedText({ payload, payloadJson }: AddJobInput): string {
  const problem =
    payload !== undefined
      ? "is given beside payload; one of payload and payloadJson is accepted"
      : typeof payloadJson !== "string" || payloadJson === "" || !payloadJson.isWellFormed()
        ? `is ${JSON.stringify(payloadJson)?.slice(0, 80)}; JSON text is accepted`
        : jsonTextProblem(payloadJson);
  if (problem !== null) throw new ConnectError(`payloadJson: ${problem}`, Code.InvalidArgument);
  return payloadJson ?? "";
}

export function messageOf({ template, payload }: TableJob): AddJobRequest {
  if (payload === "") return template;
  const fit = fitting(payload);
  return fit === null
    ? { ...template, payloadJson: payload }
    : { ...template, payload: fromJson(ValueSchema, fit.json as JsonValue) };
}

/** Null: the server would not make the same text of it. As text it is kept, or refused, as it is. */
function fitting(payload: string): { readonly json: unknown } | null {
  try {
    const fit = jsonForValue(payload);
    return fit !== null && JSON.stringify(fit.json) === payload ? fit : null;
  } catch {
    return null;
  }
}

export function tableOf(jobs: readonly TableJob[]): JobTable {
  const templates: AddJobRequest[] = [];
  const places = new Map<AddJobRequest, number>();
  const placeOf = (template: AddJobRequest) => {
    let place = places.get(template);
    if (place === undefined) {
      place = templates.push(template) - 1;
      places.set(template, place);
    }
    return place;
  };
  return {
    $typeName: "elasticjob.v1.JobTable",
    template: jobs.map((job) => placeOf(job.template)),
    payload: jobs.map(({ payload }) => payload),
    templates,
  };
}
