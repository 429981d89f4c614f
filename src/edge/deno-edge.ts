/** The edge from Deno's environment. It asks for no variable but these, so that no other need be allowed. */
import type { Hono } from "hono";
import { openTls } from "../config/tls-files.ts";
import { type Config, parseConfig } from "../config.ts";
import { invalidArgument, type Problem } from "../core/errors.ts";
import type { Tls } from "../tls/certificates.ts";
import { createEdge, type EdgeRequest } from "./app.ts";
import { denoTlsFetch } from "./deno-tls-fetch.ts";
import { edgeOutput } from "./edge-output.ts";
import { edgeTokens } from "./edge-tokens.ts";
import { logRefusals } from "./log-refusals.ts";

/** As much of Deno as is used here: its own types would clash with Node's. */
declare const Deno: { readonly env: { get(name: string): string | undefined } };

const time = { now: () => Date.now(), monotonic: () => performance.now() };

export const VARIABLES = [
  "UPSTREAM",
  "ALLOWED_ORIGINS",
  "API_TOKENS",
  "API_TOKENS_FILE",
  "OPEN_API",
  "EDGE_PORT",
  "HOST",
  "TLS_CERT_FILE",
  "TLS_KEY_FILE",
  "TLS_CA_FILE",
  "TLS_CLIENT_CA_FILE",
  "TLS_SERVER_NAME",
  "TLS_PLAIN",
] as const;

/** Throws `invalid_argument` with everything that is wrong. */
export function edgeFromDenoEnvironment(): {
  edge: Hono<{ Bindings: EdgeRequest }>;
  host: string;
  port: number;
  upstreams: string;
  tls: Tls | null;
} {
  const environment = Object.fromEntries(VARIABLES.map((name) => [name, Deno.env.get(name)]));
  const config = parseConfig(environment, 1);
  const { upstreams, allowedOrigins, openApi, host, edgePort } = config;
  refuseUnsupported(config);
  const tls = openTls(config, edgeOutput, time);
  const callsByTls = tls !== null && upstreams.some((url) => url.startsWith("https:"));
  const edge = createEdge({
    ...(callsByTls && { fetch: denoTlsFetch(tls) }),
    upstreams,
    allowedOrigins,
    tokens: edgeTokens(config),
    isOpen: openApi === "on",
    refusals: logRefusals(edgeOutput),
  });
  return { edge, host, port: edgePort, upstreams: upstreams.join(", "), tls };
}

/** What Deno's server and client can't do is refused: left out without a word, it would leave a door open, or a call unmade. */
function refuseUnsupported({ tlsClientCaFile, tlsServerName, tlsPlain }: Config): void {
  const problems: Problem[] = [];
  const onNode = "is not supported by the edge on Deno; run it on Node: elastic-job edge";
  if (tlsClientCaFile !== null) problems.push({ field: "TLS_CLIENT_CA_FILE", message: onNode });
  if (tlsServerName !== null) problems.push({ field: "TLS_SERVER_NAME", message: onNode });
  if (tlsPlain !== "off") problems.push({ field: "TLS_PLAIN", message: onNode });
  if (problems.length > 0) throw invalidArgument(problems);
}
