import { type DescMessage, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { Command, InvalidArgumentError, Option } from "commander";
import type { ElasticJobClient } from "../client/elastic-job-client.ts";
import { createClient } from "../client/lazy-client.ts";
import { createTlsTransport } from "../client/tls-transport.ts";
import type { Environment } from "../config.ts";
import { tokenProblem } from "../core/callers/bearer-token.ts";
import { invalidArgument } from "../core/errors.ts";
import { withValues } from "../core/json/exact-payloads.ts";
import { exactJson } from "../core/json/value-json.ts";
import { addTlsOptions, type CommandTls, dialOptionsOf } from "./tls-options.ts";

export interface ClientCommandOptions extends CommandTls {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** A command that calls a running cluster: the options that all of these share. */
export function clientCommand(env: Environment, name: string, description: string): Command {
  const defaultUrl = `http://127.0.0.1:${edgePort(env)}`;
  const command = new Command(name)
    .description(description)
    .addOption(
      new Option("--url <url>", "an edge or a node")
        .env("ELASTIC_JOB_URL")
        // An empty variable is as good as none.
        .argParser((text) => (text === "" ? defaultUrl : parseUrl(text)))
        .default(defaultUrl),
    )
    .addOption(new Option("--token <token>", "an API token").env("ELASTIC_JOB_TOKEN"));
  return addTlsOptions(command).option("--json", "print the answer as JSON, as the API has it");
}

/** Where `dev` and `edge` would be with the same settings. A port that they refuse, or choose, tells nothing. */
function edgePort(env: Environment): string {
  const port = env["EDGE_PORT"]?.trim() ?? "";
  return /^\d{1,5}$/.test(port) && Number(port) > 0 ? port : "8080";
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "") return text;
  throw new InvalidArgumentError(
    "It is not the URL of an edge or a node; http://127.0.0.1:8080 or https://jobs.example.com, for example, is accepted.",
  );
}

/** A wrong address should be told at once; a failover behind an edge that answers is waited out. */
export function connect({ url, token, ...tls }: ClientCommandOptions): ElasticJobClient {
  const baseUrl = url.replace(/\/+$/, "");
  // Not where options are parsed: what is refused there is printed.
  const problem = token === undefined ? null : tokenProblem(token);
  if (problem !== null) throw invalidArgument([{ field: "--token", message: problem }]);
  const dial = dialOptionsOf(tls);
  if (dial !== null && !baseUrl.startsWith("https:")) {
    const message = "is no https:// URL, and so the certificates that were given would be of no use";
    throw invalidArgument([{ field: "--url", message }]);
  }
  const way = dial === null ? { baseUrl } : { transport: createTlsTransport(baseUrl, dial) };
  return createClient({ ...way, retryUnreachable: false, ...(token !== undefined && { token }) });
}

/** An answer as the API's own JSON has it: the client's has the fields that hold their default, too. */
export function printAnswer<Desc extends DescMessage>(schema: Desc, answer: unknown): void {
  printJson(answerJson(schema, answer));
}

/** Payloads and outputs with all their digits. */
export function answerJson<Desc extends DescMessage>(schema: Desc, answer: unknown): object {
  const message = fromJson(schema, withValues(schema, answer, () => undefined) as JsonValue);
  return withValues(schema, toJson(schema, message), exactJson) as object;
}

export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
