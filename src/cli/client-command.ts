import { Command, Option } from "commander";
import { createClient, type ElasticJobClient } from "../client/client.ts";

export interface ClientCommandOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** A command that calls a running cluster: the options that all of these share. */
export function clientCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(
      new Option("--url <url>", "an edge or a node").env("ELASTIC_JOB_URL").default("http://127.0.0.1:8080"),
    )
    .addOption(new Option("--token <token>", "an API token").env("ELASTIC_JOB_TOKEN"))
    .option("--json", "print the answer as JSON, as the API has it");
}

/** A wrong address should be told at once; a failover behind an edge that answers is waited out. */
export function connect({ url, token }: ClientCommandOptions): ElasticJobClient {
  const baseUrl = url.replace(/\/+$/, "");
  return createClient({ baseUrl, retryUnreachable: false, ...(token !== undefined && { token }) });
}

export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
