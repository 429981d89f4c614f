import { Command } from "commander";
import type { Environment } from "../config.ts";

const NOTES = `
Settings (environment): UPSTREAM (URLs of nodes, separated by commas), EDGE_PORT (8080), HOST,
ALLOWED_ORIGINS (of browser pages, separated by commas), API_TOKENS (without them, the nodes ask),
TLS_CERT_FILE and TLS_KEY_FILE (its port speaks TLS), TLS_CA_FILE (whom to believe at https:// in UPSTREAM).

Example:
  UPSTREAM=http://node-1:7070,http://node-2:7070 elastic-job edge`;

export function edgeCommand(env: Environment): Command {
  return new Command("edge")
    .description("run an edge: it takes calls from browsers and curl, and passes them to nodes")
    .addHelpText("after", NOTES)
    .action(async () => {
      const [
        { parseConfig },
        { openTls },
        { edgeOutput },
        { edgeTokens },
        { logRefusals },
        { startEdge },
        { systemClock },
        { runUntilSignal },
      ] = await Promise.all([
        import("../config.ts"),
        import("../config/tls-files.ts"),
        import("../edge/edge-output.ts"),
        import("../edge/edge-tokens.ts"),
        import("../edge/log-refusals.ts"),
        import("../edge/node.ts"),
        import("../system-clock.ts"),
        import("./run-until-signal.ts"),
      ]);
      const config = parseConfig(env);
      const { host, edgePort, upstreams, allowedOrigins, openApi } = config;
      await runUntilSignal(env, async () => {
        const options = {
          upstreams,
          allowedOrigins,
          tokens: edgeTokens(config),
          isOpen: openApi === "on",
          refusals: logRefusals(edgeOutput),
        };
        const tls = openTls(config, edgeOutput, systemClock);
        const edge = await startEdge({ ...options, host, port: edgePort, tls });
        process.stdout.write(`edge is at ${edge.url}, for ${upstreams.join(", ")}\n`);
        return () => edge.close();
      });
    });
}
