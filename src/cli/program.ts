import { Command } from "commander";
import type { Environment } from "../config.ts";
import { addCommand } from "./add.ts";
import { auditCommand } from "./audit.ts";
import { benchCommand } from "./bench.ts";
import { cancelCommand } from "./cancel.ts";
import { clusterCommand } from "./cluster.ts";
import { completionCommand } from "./completion.ts";
import { deleteCommand } from "./delete.ts";
import { devCommand } from "./dev.ts";
import { drainCommand } from "./drain.ts";
import { edgeCommand } from "./edge.ts";
import { listCommand } from "./list.ts";
import { logsCommand } from "./logs.ts";
import { migrateCommand } from "./migrate.ts";
import { nodeCommand } from "./node.ts";
import { ownVersion } from "./own-version.ts";
import { pauseCommand } from "./pause.ts";
import { previewCommand } from "./preview.ts";
import { putCommand } from "./put.ts";
import { resultsCommand } from "./results.ts";
import { resumeCommand } from "./resume.ts";
import { retryCommand } from "./retry.ts";
import { statusCommand } from "./status.ts";
import { triggerCommand } from "./trigger.ts";
import { undrainCommand } from "./undrain.ts";
import { updateCommand } from "./update.ts";
import { watchCommand } from "./watch.ts";

const EXAMPLES = `
Examples:
  elastic-job dev                                    everything in one process, on http://127.0.0.1:8080
  elastic-job add echo --payload '{"hello":"world"}' --wait
  elastic-job add echo --daily 08:30 --zone Asia/Shanghai
  elastic-job list --status waiting

Exit codes: 0 it worked, 1 it failed, 2 the command line or a setting is wrong.`;

export function createProgram(env: Environment): Command {
  const program = new Command("elastic-job")
    .description("A distributed scheduler for immediate, timed, daily, cron and interval jobs.")
    .version(ownVersion())
    .addHelpText("after", EXAMPLES);
  program.commandsGroup("Processes:");
  for (const command of [devCommand(env), nodeCommand(env), edgeCommand(env), migrateCommand(env)]) {
    program.addCommand(command);
  }
  program.commandsGroup("Jobs:");
  for (const command of [
    addCommand(env),
    putCommand(env),
    updateCommand(env),
    listCommand(env),
    statusCommand(env),
    resultsCommand(env),
    logsCommand(env),
    pauseCommand(env),
    resumeCommand(env),
    triggerCommand(env),
    cancelCommand(env),
    retryCommand(env),
    deleteCommand(env),
    watchCommand(env),
    previewCommand(env),
  ]) {
    program.addCommand(command);
  }
  program.commandsGroup("Cluster:");
  for (const command of [
    clusterCommand(env),
    drainCommand(env),
    undrainCommand(env),
    auditCommand(env),
    benchCommand(env),
  ]) {
    program.addCommand(command);
  }
  program.commandsGroup("Shell:");
  program.addCommand(completionCommand(program));
  return program;
}
