import { ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { type Command, CommanderError } from "commander";
import { isUnreachable } from "../client/retry-policy.ts";
import { ElasticJobError, isError, quote } from "../core/errors.ts";
import { type TlsFailure, tlsFailure, tlsFailureText } from "../tls/tls-failure.ts";

/** 0: it worked. */
export const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Runs the command that `argv` names, and turns what it throws into one line and an exit code. */
export async function runProgram(
  program: Command,
  argv: readonly string[],
  showStack: boolean,
): Promise<void> {
  const asJson = argv.includes("--json");
  for (const command of [program, ...program.commands]) {
    command.exitOverride();
    if (asJson) command.configureOutput({ outputError: tellUsage });
    else command.showHelpAfterError("(see --help)");
  }
  try {
    refuseLostBytes(argv);
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = exitCode(error);
    // Commander has printed its own already.
    if (error instanceof CommanderError) return;
    process.stderr.write(
      asJson ? errorJson(codeOf(error), explain(error, false)) : `error: ${explain(error)}\n`,
    );
    if (showStack && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  }
}

/** What is no UTF-8 in an argument is gone before a program sees it: U+FFFD stands for it. */
function refuseLostBytes(argv: readonly string[]): void {
  for (const [index, text] of argv.entries()) {
    const at = text.indexOf("\ufffd");
    if (at === -1) continue;
    const before = argv[index - 1] ?? "";
    // A value that stands in the option's own word may be a secret.
    const [option] = /^--[\w-]+(?==)/.exec(text) ?? [];
    const what = option ?? (before.startsWith("--") ? before : quote(text));
    const offset = Buffer.byteLength(text.slice(0, at));
    const message = `${what}: byte ${offset} is not UTF-8; text in UTF-8 is accepted, and U+FFFD itself in JSON, as \\ufffd`;
    throw new ElasticJobError("invalid_argument", message);
  }
}

function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  return isError(error, "invalid_argument") ? EXIT_USAGE : EXIT_FAILED;
}

/** As the API has them, one line, on stderr: stdout has an answer, or nothing. */
function errorJson(code: string, message: string): string {
  return `${JSON.stringify({ code, message })}\n`;
}

function tellUsage(text: string, write: (text: string) => void): void {
  write(errorJson("invalid_argument", text.trim().replace(/^error: /, "")));
}

function codeOf(error: unknown): string {
  if (isUnreachable(error) || wasCut(error) || tlsFailure(error) !== null) return "unavailable";
  if (error instanceof ConnectError) return codeToString(error.code);
  return error instanceof ElasticJobError ? error.code : "unknown";
}

const MEND_TLS: Readonly<Record<TlsFailure, string>> = {
  untrusted: "name the authority that has signed it by --tls-ca",
  out_of_date: "have it renewed, and look at the clocks of both machines",
  name: "use the name in it in --url, or give that by --tls-server-name",
  plain: "use http:// in --url",
  certificate_asked: "give one by --tls-cert and --tls-key",
  certificate_refused: "give another one by --tls-cert and --tls-key",
};

function explain(error: unknown, withCode = true): string {
  const failure = tlsFailure(error);
  if (failure !== null) {
    return `no connection by TLS: ${tlsFailureText(failure)}; ${MEND_TLS[failure]}`;
  }
  if (wasCut(error)) {
    return `the connection was cut; is it a node or an edge, and does it ask for a certificate (--tls-cert, --tls-key)? (${causes(error)})`;
  }
  if (isUnreachable(error))
    return `nothing answers there; is it running, and is --url right? (${causes(error)})`;
  if (error instanceof ConnectError)
    return withCode ? `${codeToString(error.code)}: ${error.rawMessage}` : error.rawMessage;
  return error instanceof Error ? error.message : String(error);
}

/** Before an answer. What a server says of a certificate that it misses can be lost so. */
function wasCut(error: unknown): boolean {
  if (!(error instanceof ConnectError) || error.isWireError) return false;
  for (
    let cause: unknown = error, depth = 0;
    cause instanceof Error && depth < 5;
    cause = cause.cause, depth++
  ) {
    if ("code" in cause && /^(EPIPE|ECONNRESET|UND_ERR_SOCKET)$/.test(String(cause.code))) return true;
  }
  return false;
}

/** `fetch` says only "fetch failed"; why, is in its causes. */
function causes(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause.message !== "") messages.push(cause instanceof ConnectError ? cause.rawMessage : cause.message);
  }
  return [...new Set(messages)].join(": ");
}
