/** Jobs to add as a table, to a checked spec for each; and the answer to one. */

import { column, TextColumns } from "../../coordination/columns.ts";
import { invalidArgument, type Problem } from "../../core/errors.ts";
import { isProblems, parseJobSpec, type SpecLimits, withPayload } from "../../core/spec/job-spec.ts";
import type { AddedTable, AddJobRequest, JobTable } from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { AddedJob } from "../../master/job-api.ts";
import { type ParsedAdd, rawFromAddRequest, withProblems } from "./add-request.ts";
import { payloadText } from "./payload-field.ts";

/** Reads what each job of a table asks for, with its spec, or all that is wrong with it. */
export interface TableRows {
  readonly count: number;
  parsed(row: number): ParsedAdd;
}

/** Throws when it is no table. */
export function rowsOfTable(table: JobTable, now: number, limits?: SpecLimits): TableRows {
  checkShape(table);
  const templates = new Map<number, Template>();
  // As they are met: a table may have one for each job, which takes a while.
  const templateAt = (place: number): Template => {
    const known = templates.get(place);
    if (known !== undefined) return known;
    const template = checkTemplate(table.templates[place] as AddJobRequest, now, limits);
    templates.set(place, template);
    return template;
  };
  return {
    count: table.template.length,
    parsed(row) {
      const { asked, problems, parsed } = templateAt(table.template[row] as number);
      const text = table.payload[row] ?? "";
      if (text === "") return { parsed, asked };
      const found = [...problems];
      const payload = payloadText({ payloadJson: text }, found, limits, "payload");
      const whole = payload === null || isProblems(parsed) ? null : withPayload(parsed, payload, limits);
      if (whole !== null && !isProblems(whole)) return { parsed: whole, asked };
      const own = { ...asked, payload };
      return { parsed: whole ?? withProblems(found, parseJobSpec(own, now, limits)), asked: own };
    },
  };
}

interface Template extends ParsedAdd {
  readonly problems: readonly Problem[];
}

function checkTemplate(message: AddJobRequest, now: number, limits?: SpecLimits): Template {
  const problems: Problem[] = [];
  const asked = rawFromAddRequest(message, problems, limits);
  return { problems, parsed: withProblems(problems, parseJobSpec(asked, now, limits)), asked };
}

function checkShape({ templates, template, payload }: JobTable): void {
  const problems: Problem[] = [];
  const wrong = template.find((place) => place >= templates.length);
  if (wrong !== undefined) {
    const message = `names template ${wrong}, and there are ${templates.length}`;
    problems.push({ field: "table.template", message });
  }
  // Each is checked, and one payload for many jobs would be written many times.
  if (templates.length > template.length) {
    const message = `has ${templates.length} entries for ${template.length} jobs; one for each job at most is accepted`;
    problems.push({ field: "table.templates", message });
  }
  if (templates.some(({ payload: own, payloadJson }) => own !== undefined || payloadJson !== undefined)) {
    problems.push({ field: "table.templates", message: "has payloads; table.payload is for them" });
  }
  if (payload.length !== 0 && payload.length !== template.length) {
    const message = `has ${payload.length} entries for ${template.length} jobs; none, or one for each, is accepted`;
    problems.push({ field: "table.payload", message });
  }
  if (problems.length > 0) throw invalidArgument(problems);
}

export function addedTable(jobs: readonly AddedJob[]): AddedTable {
  const texts = new TextColumns();
  const isAnyExplained = jobs.some(({ reason }) => reason !== undefined);
  return {
    $typeName: "elasticjob.v1.AddedTable",
    jobId: jobs.map(({ jobId }) => jobId),
    existed: column(jobs, ({ created }) => !created, false),
    nextRunAt: jobs.map(({ nextRunAt }) => nextRunAt),
    reason: isAnyExplained ? jobs.map(({ reason = "" }) => texts.placeOf(reason)) : [],
    text: texts.all,
  };
}
