/**
 * A module's schedules, as its thread hands them over, to a description of their set. What is wrong is told when the node starts,
 * for all that can be told without a master; and whatever the time is, so that a schedule that has come to its end
 * keeps no node from starting.
 */
import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { fromInput } from "../client/json-message.ts";
import { ElasticJobError, invalidArgument, type Problem, quote } from "../core/errors.ts";
import { parseExact, textWithDigits } from "../core/json/exact-numbers.ts";
import { nearestName } from "../core/nearest-name.ts";
import { MOST_SET_JOBS } from "../core/spec/job-set.ts";
import { isProblems, type SpecLimits } from "../core/spec/job-spec.ts";
import {
  type AddJobRequest,
  AddJobRequestSchema,
  NamedJobSchema,
  type PutJobSetRequest,
  PutJobSetRequestSchema,
} from "../gen/elasticjob/v1/job_service_pb.ts";
import { parseAddRequest } from "../rpc/conversion/add-request.ts";

/** Before all that a schedule can name. */
const LONG_AGO = 0;
const DEFAULT_SET = "default";
/** Of one line, which a person is to read. */
const MOST_TOLD = 5;

/** What is passed on as the API has it. */
const AS_THE_API = [
  "handler",
  "name",
  "payload",
  "startAt",
  "endAt",
  "maxOccurrences",
  "jitter",
  "deadline",
  "priority",
  "timeout",
  "retry",
  "requirements",
] as const;
/** One word each, where the API's enums have two. */
const WORDS = { misfire: "MISFIRE", overlap: "OVERLAP", gap: "GAP", fold: "FOLD" } as const;
const TIMES = ["cron", "daily", "every"] as const;
const OF_TIMES = ["timeZone", "gap", "fold", "anchor"] as const;
const FIELDS: readonly string[] = [...AS_THE_API, "misfire", "overlap", ...TIMES, ...OF_TIMES];
/** How a schedule names what the API has deeper. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  "cron.expression": "cron",
  "daily.at": "daily",
  "interval.every": "every",
};

type Plain = Readonly<Record<string, unknown>>;

interface Module {
  /** JSON text: what `defineJobs` was given; null: nothing. */
  readonly schedules: string | null;
  /** What its jobs can be for. */
  readonly handlers: readonly string[];
  readonly hasRunJob: boolean;
}

export interface SetSettings {
  /** Where the module says none; null: none. */
  readonly generation: number | null;
  readonly missing: "delete" | "keep";
  readonly limits: SpecLimits;
}

/** `source`: where they are from, for people. Null: there are none. Throws what is wrong, by the schedules' names. */
export function readSchedules(
  source: string,
  module: Module,
  settings: SetSettings,
): PutJobSetRequest | null {
  if (module.schedules === null) return null;
  const {
    schedules,
    set = DEFAULT_SET,
    generation = settings.generation,
  } = parseExact(module.schedules) as {
    readonly schedules: Readonly<Record<string, Plain>>;
    readonly set?: string;
    readonly generation?: number;
  };
  const entries = Object.entries(schedules);
  const problems: Problem[] = [];
  if (entries.length > MOST_SET_JOBS) {
    const message = `has ${entries.length}; up to ${MOST_SET_JOBS.toLocaleString("en")} are accepted`;
    problems.push({ field: "schedules", message });
  }
  const jobs = entries.map(([name, schedule]) => {
    const found: Problem[] = [];
    const job = readOne(name, schedule, module, found, settings.limits);
    problems.push(...found.map((one) => ({ ...one, field: `schedules.${name}.${ownName(one.field)}` })));
    return create(NamedJobSchema, { name, ...(job && { job }) });
  });
  if (problems.length > 0) {
    const { message } = invalidArgument(mostOf(problems));
    throw new ElasticJobError("invalid_argument", `${source}: ${message}`);
  }
  return create(PutJobSetRequestSchema, {
    set,
    ...(generation !== null && { generation: BigInt(generation) }),
    jobs,
    keepMissing: settings.missing === "keep",
  });
}

function readOne(
  name: string,
  schedule: Plain,
  module: Module,
  problems: Problem[],
  limits: SpecLimits,
): AddJobRequest | null {
  for (const field of Object.keys(schedule)) {
    if (FIELDS.includes(field)) continue;
    const near = nearestName(field, FIELDS);
    const meant = near === null ? "" : ` (did you mean ${near}?)`;
    problems.push({ field, message: `is no field of a schedule${meant}; accepted are ${FIELDS.join(", ")}` });
  }
  const time = timeOf(schedule, problems);
  checkHandler(schedule["handler"], module, problems);
  const passed = Object.fromEntries(AS_THE_API.map((field) => [field, schedule[field]]));
  const job = {
    name,
    ...defined(passed),
    ...defined({ misfire: word(schedule, "misfire"), overlap: word(schedule, "overlap") }),
    ...time,
    // That it is one of the module's is seen here; the master hears of them when this node joins it.
    allowUnknownHandler: true,
  };
  if (problems.length > 0) return null;
  try {
    const request = fromInput(AddJobRequestSchema, textWithDigits(job));
    const { parsed } = parseAddRequest(request, LONG_AGO, limits);
    if (isProblems(parsed)) problems.push(...parsed);
    return request;
  } catch (error) {
    problems.push(...problemsIn(error));
    return null;
  }
}

/** Null: which, cannot be told. */
function timeOf(schedule: Plain, problems: Problem[]): Plain | null {
  const given = TIMES.filter((field) => schedule[field] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    const what = kind === undefined ? "is missing" : `is given beside ${given.slice(1).join(" and ")}`;
    problems.push({ field: kind ?? "cron", message: `${what}; one of ${TIMES.join(", ")} is accepted` });
    return null;
  }
  const allowed = { cron: ["timeZone"], daily: ["timeZone", "gap", "fold"], every: ["anchor"] }[kind];
  for (const field of OF_TIMES) {
    if (schedule[field] === undefined || allowed.includes(field)) continue;
    problems.push({ field, message: `does not go with ${kind}; leave it out` });
  }
  const { timeZone, anchor } = schedule;
  switch (kind) {
    case "cron":
      return { cron: defined({ expression: schedule["cron"], timeZone }) };
    case "daily": {
      const rules = { gap: word(schedule, "gap"), fold: word(schedule, "fold") };
      return { daily: defined({ at: schedule["daily"], timeZone, ...rules }) };
    }
    case "every":
      return { interval: defined({ every: schedule["every"], anchor }) };
  }
}

function checkHandler(handler: unknown, { handlers, hasRunJob }: Module, problems: Problem[]): void {
  if (typeof handler !== "string" || hasRunJob || handlers.includes(handler)) return;
  const near = nearestName(handler, handlers);
  const meant = near === null ? "" : `; did you mean ${quote(near)}?`;
  const message = `${quote(handler)} is no handler of this module (it has ${handlers.join(", ")})${meant}`;
  problems.push({ field: "handler", message });
}

/** "run_after" to GAP_RUN_AFTER: what is none, the decoder refuses by its name. */
function word(schedule: Plain, field: keyof typeof WORDS): unknown {
  const value = schedule[field];
  return typeof value === "string" ? `${WORDS[field]}_${value.toUpperCase()}` : value;
}

function defined(fields: Plain): Plain {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What the decoder says begins with the field, where it knows one. */
function problemsIn(error: unknown): Problem[] {
  if (!(error instanceof ConnectError)) throw error;
  const [, field = "", message = error.rawMessage] = /^([\w.[\]]+): (.*)$/s.exec(error.rawMessage) ?? [];
  return [{ field, message }];
}

function ownName(field: string): string {
  return OWN_NAMES[field] ?? field.replace(/^(cron|daily|interval)\./, "");
}

function mostOf(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= MOST_TOLD) return problems;
  const more = { field: "schedules", message: `${problems.length - MOST_TOLD} more problems` };
  return [...problems.slice(0, MOST_TOLD), more];
}
