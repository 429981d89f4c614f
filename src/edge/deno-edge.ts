/** The edge from Deno's environment. It asks for no variable but these, so that no other need be allowed. */
import type { Hono } from "hono";
import { parseConfig } from "../config.ts";
import { createEdge, type EdgeRequest } from "./app.ts";
import { edgeTokens, output } from "./edge-tokens.ts";
import { logForbidden } from "./log-forbidden.ts";

/** As much of Deno as is used here: its own types would clash with Node's. */
declare const Deno: { readonly env: { get(name: string): string | undefined } };

export const VARIABLES = [
  "UPSTREAM",
  "ALLOWED_ORIGINS",
  "API_TOKENS",
  "API_TOKENS_FILE",
  "OPEN_API",
  "EDGE_PORT",
  "HOST",
] as const;

/** Throws `invalid_argument` with everything that is wrong. */
export function edgeFromDenoEnvironment(): {
  edge: Hono<{ Bindings: EdgeRequest }>;
  host: string;
  port: number;
  upstreams: string;
} {
  const environment = Object.fromEntries(VARIABLES.map((name) => [name, Deno.env.get(name)]));
  const config = parseConfig(environment, 1);
  const { upstreams, allowedOrigins, openApi, host, edgePort } = config;
  const edge = createEdge({
    upstreams,
    allowedOrigins,
    tokens: edgeTokens(config),
    isOpen: openApi === "on",
    forbidden: logForbidden(output),
  });
  return { edge, host, port: edgePort, upstreams: upstreams.join(", ") };
}
