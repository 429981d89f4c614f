/** Jobs to add as a table, to a checked spec for each; and the answer to one. */

import { column, TextColumns } from "../../coordination/columns.ts";
import { invalidArgument, type Problem } from "../../core/errors.ts";
import type { JobSpec } from "../../core/job.ts";
import { isProblems, parseJobSpec, type SpecLimits, withPayload } from "../../core/spec/job-spec.ts";
import type { AddedTable, JobTable } from "../../gen/elasticjob/v1/job_service_pb.ts";
import type { AddedJob } from "../../master/job-api.ts";
import { rawFromAddRequest, withProblems } from "./add-request.ts";
import { checkJsonText } from "./json-value.ts";

/** For each job its spec, or all that is wrong with it. Throws when it is no table. */
export function specsFromTable(
  table: JobTable,
  now: number,
  limits?: SpecLimits,
): (JobSpec | readonly Problem[])[] {
  checkShape(table);
  const templates = table.templates.map((message) => {
    const problems: Problem[] = [];
    const raw = rawFromAddRequest(message, problems);
    return { raw, problems, parsed: withProblems(problems, parseJobSpec(raw, now, limits)) };
  });
  return table.template.map((place, row) => {
    const { raw, problems, parsed } = templates[place] as (typeof templates)[number];
    const text = table.payload[row] ?? "";
    if (text === "") return parsed;
    const found = [...problems];
    const payload = checkJsonText("payload", text, found);
    if (payload === null || isProblems(parsed)) {
      return withProblems(found, parseJobSpec({ ...raw, payload }, now, limits));
    }
    return withPayload(parsed, payload, limits);
  });
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
