import { Command } from "commander";
import type { ClientOptions } from "../client/elastic-job-client.ts";
import { createClient } from "../client/lazy-client.ts";
import { createTlsTransport } from "../client/tls-transport.ts";
import type { Environment } from "../config.ts";
import { invalidArgument } from "../core/errors.ts";
import { dialOptions } from "../tls/connect.ts";

const NOTES = `
Settings (environment): EDGE_PORT (8080), HOST (127.0.0.1), PORT (the node's, 7070), DATA_DIR (./data),
HANDLERS (path of your module), LOG_LEVEL. Without MYSQL_URL and REDIS_URL it keeps everything in DATA_DIR.

Example:
  HANDLERS=./jobs.ts EDGE_PORT=9000 elastic-job dev --watch`;

export function devCommand(env: Environment): Command {
  return new Command("dev")
    .description("run everything in one process: node, edge and page, on http://127.0.0.1:8080")
    .option("--watch", "load the module of HANDLERS anew when it changes; running jobs end on the old one")
    .addHelpText("after", NOTES)
    .action(({ watch = false }: { readonly watch?: boolean }) => dev(env, watch));
}

async function dev(env: Environment, watches: boolean): Promise<void> {
  // Loaded here, so that the client commands start without them.
  const [
    { startNode },
    { openApiTokens },
    { openTls },
    { parseConfig },
    { logRefusals },
    { startEdge },
    { systemClock },
    { toItself },
    { createHeldLogger },
    { runUntilSignal },
  ] = await Promise.all([
    import("../app.ts"),
    import("../config/api-tokens.ts"),
    import("../config/tls-files.ts"),
    import("../config.ts"),
    import("../edge/log-refusals.ts"),
    import("../edge/node.ts"),
    import("../system-clock.ts"),
    import("../tls/to-itself.ts"),
    import("./logger.ts"),
    import("./run-until-signal.ts"),
  ]);
  // Nothing protects this process: only its own machine may reach it, unless it is told otherwise.
  const config = parseConfig({ ...env, HOST: env["HOST"] || "127.0.0.1" });
  if (watches && config.handlersPath === null) {
    throw invalidArgument([{ field: "--watch", message: "needs HANDLERS, the path of the module to watch" }]);
  }
  const { logger, lines } = createHeldLogger(config.logLevel, process.stderr.isTTY);
  const tokens = openApiTokens(config, logger, () => performance.now());
  const opened = config.tlsCertFile === null ? null : openTls(config, logger, systemClock);
  const tls = opened === null ? null : toItself(opened);
  await runUntilSignal(env, async (giveUp) => {
    const node = await startNode(config, logger, giveUp, { watches });
    const edge = await startEdge({
      host: config.host,
      port: config.edgePort,
      upstreams: [`${tls === null ? "http" : "https"}://127.0.0.1:${node.port}`],
      allowedOrigins: config.allowedOrigins,
      tokens,
      isOpen: config.openApi === "on",
      refusals: logRefusals(logger),
      tls,
    }).catch(async (error: unknown) => {
      await node.stop();
      throw error;
    });
    // Each may ask how the cluster stands.
    const [any] = tokens();
    const way =
      tls === null ? { baseUrl: edge.url } : { transport: createTlsTransport(edge.url, dialOptions(tls)) };
    await untilReady({ ...way, ...(any !== undefined && { token: any.token }) }, giveUp);
    process.stdout.write(welcome(edge.url, any !== undefined));
    lines.release();
    return async () => {
      await edge.close();
      await node.stop();
    };
  });
}

/** This waits, so that the line to try works the moment it is printed. A database that is not there yet is no reason to hide it. */
async function untilReady(options: ClientOptions, giveUp: AbortSignal): Promise<void> {
  await createClient(options)
    .getCluster({ signal: giveUp })
    .catch(() => {});
}

/** A token is a secret, and terminals are recorded: the line takes it from the variable that the commands read too. */
function welcome(url: string, asksForToken: boolean): string {
  const header = asksForToken ? ' -H "Authorization: Bearer $ELASTIC_JOB_TOKEN"' : "";
  const hint = asksForToken ? " with one of API_TOKENS in ELASTIC_JOB_TOKEN" : "";
  return `
Elastic Job is at ${url} (Ctrl-C stops it). Try${hint}:

  curl -X POST ${url}/JobService/AddJob${header} -d '{"handler": "echo", "payload": {"hello": "world"}}'

`;
}
