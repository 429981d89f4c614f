/** What commands that call a cluster say of TLS: whom they believe, and what they show. */
import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { invalidArgument } from "../core/errors.ts";
import { certificatesIn, checkPair } from "../tls/certificates.ts";
import type { DialOptions } from "../tls/connect.ts";

export interface CommandTls {
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
}

export function addTlsOptions(command: Command): Command {
  const option = (flags: string, meaning: string, variable: string) =>
    new Option(flags, meaning).env(variable).argParser((text) => (text === "" ? undefined : text));
  return command
    .addOption(
      option("--tls-ca <file>", "certificates that sign the one at an https:// URL", "ELASTIC_JOB_TLS_CA"),
    )
    .addOption(
      option("--tls-cert <file>", "certificate to show where one is asked for", "ELASTIC_JOB_TLS_CERT"),
    )
    .addOption(option("--tls-key <file>", "key of that certificate", "ELASTIC_JOB_TLS_KEY"))
    .addOption(
      option(
        "--tls-server-name <name>",
        "name that the certificate there must have, instead of the URL's",
        "ELASTIC_JOB_TLS_SERVER_NAME",
      ),
    );
}

/** null: none of them is there. Throws `invalid_argument` when a file cannot be used. */
export function dialOptionsOf({ tlsCa, tlsCert, tlsKey, tlsServerName }: CommandTls): DialOptions | null {
  if ([tlsCa, tlsCert, tlsKey, tlsServerName].every((value) => value === undefined)) return null;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const field = tlsCert === undefined ? "--tls-key" : "--tls-cert";
    throw invalidArgument([{ field, message: "--tls-cert and --tls-key go together; give both or neither" }]);
  }
  const ca = tlsCa === undefined ? null : read("--tls-ca", tlsCa);
  if (ca !== null) about("--tls-ca", () => certificatesIn(ca));
  const own =
    tlsCert === undefined || tlsKey === undefined
      ? null
      : { cert: read("--tls-cert", tlsCert), key: read("--tls-key", tlsKey) };
  if (own !== null) about("--tls-cert", () => checkPair(own.cert, own.key));
  return {
    ...(ca !== null && { ca }),
    ...own,
    ...(tlsServerName !== undefined && { servername: tlsServerName }),
  };
}

function read(field: string, path: string): string {
  return about(field, () => readFileSync(path, "utf8"));
}

function about<T>(field: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw invalidArgument([{ field, message: error instanceof Error ? error.message : String(error) }]);
  }
}
