import type { Command } from "commander";
import type { Environment } from "../config.ts";
import { type ClientCommandOptions, clientCommand, connect, print, printJson } from "./client-command.ts";

export function undrainCommand(env: Environment): Command {
  return clientCommand(env, "undrain", "have a drained node take jobs again")
    .argument("<node>", "the node's name")
    .addHelpText("after", "\nExample:\n  elastic-job undrain node-1")
    .action(async (node: string, options: ClientCommandOptions) => {
      await connect(options).undrainNode(node);
      if (options.json) printJson({});
      else print(`node ${node} takes jobs again`);
    });
}
