import type { Command } from "commander";
import type { Environment } from "../config.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printJson } from "./client-command.ts";

const NOTES = `
Its running jobs may end within its DRAIN_GRACE_MS; the rest is handed back to others. It stays connected, and drained,
until it is undrained or restarted. "elastic-job cluster" shows the nodes' names.

Example:
  elastic-job drain node-1`;

export function drainCommand(env: Environment): Command {
  return clientCommand(env, "drain", "have a node take no more jobs")
    .argument("<node>", "the node's name")
    .addHelpText("after", NOTES)
    .action(async (node: string, options: ClientCommandOptions) => {
      await connect(options).drainNode(node);
      if (options.json) printJson({});
      else print(`node ${node} takes no more jobs`);
    });
}
