import { type Command, Option } from "commander";
import type { Environment } from "../config.ts";
import { FIELD_RANGES } from "../core/spec/field-ranges.ts";
import { PreviewScheduleResponseSchema } from "../gen/elasticjob/v1/job_service_pb.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printAnswer } from "./client-command.ts";
import { instantText } from "./job-text.ts";
import { parseInstant, wholeWithin } from "./option-values.ts";
import {
  addScheduleOptions,
  checkScheduleOptions,
  type ScheduleOptions,
  scheduleFields,
} from "./schedule-options.ts";
import { formatTable } from "./table.ts";

interface PreviewOptions extends ClientCommandOptions, ScheduleOptions {
  readonly after?: string;
  readonly count?: number;
}

const EXAMPLES = `
Examples:
  elastic-job preview --daily 02:30 --zone Europe/Berlin --after 2027-03-26T00:00:00Z
  elastic-job preview --cron '0 9 * * 1-5' --zone Asia/Tokyo --count 20`;

export function previewCommand(env: Environment): Command {
  const command = clientCommand(env, "preview", "list the next occurrences of a schedule, and add nothing");
  return addScheduleOptions(command)
    .addOption(new Option("--after <instant>", "only those after it (default: now)").argParser(parseInstant))
    .addOption(
      new Option("--count <number>", "so many (default: 10)").argParser(
        wholeWithin({ ...FIELD_RANGES.count, least: 1 }),
      ),
    )
    .addHelpText("after", EXAMPLES)
    .action(async (options: PreviewOptions) => {
      checkScheduleOptions(command, options);
      const { after, count } = options;
      const preview = await connect(options).previewSchedule({
        ...scheduleFields(options),
        ...(after !== undefined && { after }),
        ...(count !== undefined && { count }),
      });
      if (options.json) return printAnswer(PreviewScheduleResponseSchema, preview);
      const rows = preview.occurrences.map(({ time, note }) => [
        instantText(time),
        localText(time, options.zone),
        note,
      ]);
      if (rows.length === 0) return print("no occurrence");
      print(formatTable(["TIME", "LOCAL", "NOTE"], rows));
      print(`time zone data ${preview.timeZoneData}`);
    });
}

/** For people; the server is the one that knows the zones. */
function localText(time: string, zone: string | undefined): string {
  if (zone === undefined) return "";
  try {
    return Temporal.Instant.from(time).toZonedDateTimeISO(zone).toPlainDateTime().toString().slice(0, 19);
  } catch {
    return "";
  }
}
