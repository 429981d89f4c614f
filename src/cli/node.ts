import { Command } from "commander";
import type { Environment } from "../config.ts";

const NOTES = `
Settings (environment): MYSQL_URL, REDIS_URL, PORT (7070), HOST, ADVERTISE_ADDRESS, HANDLERS (path of your
module), SLOTS, LABELS, NODE_ID, CLUSTER_PREFIX, API_TOKENS, CLUSTER_SECRET, LOG_LEVEL, TLS_CERT_FILE
and TLS_KEY_FILE (its port, and calls to other nodes, speak TLS); the README has all.

Example:
  REDIS_URL=redis://localhost MYSQL_URL=mysql://user:secret@localhost/jobs elastic-job node`;

export function nodeCommand(env: Environment): Command {
  return new Command("node")
    .description("run a node: it pulls and runs jobs, and one node is master")
    .addHelpText("after", NOTES)
    .action(async () => {
      const [{ startNode }, { parseConfig }, { createLogger }, { runUntilSignal }] = await Promise.all([
        import("../app.ts"),
        import("../config.ts"),
        import("./logger.ts"),
        import("./run-until-signal.ts"),
      ]);
      const config = parseConfig(env);
      const logger = createLogger(config.logLevel, process.stderr.isTTY);
      await runUntilSignal(env, async (giveUp) => {
        const node = await startNode(config, logger, giveUp);
        process.stdout.write(`node is at ${node.address}\n`);
        return () => node.stop();
      });
    });
}
