/** The edge on Deno: `deno run --allow-net --allow-env src/edge/deno.ts`. */
import { createEdge } from "./app.ts";

/** As much of Deno as is used here: its own types would clash with Node's. */
declare const Deno: {
  readonly env: { get(name: string): string | undefined };
  serve(
    options: { readonly port: number; readonly hostname: string },
    handler: (request: Request) => Response | Promise<Response>,
  ): { readonly finished: Promise<void> };
};

function list(name: string): string[] {
  const items = (Deno.env.get(name) ?? "").split(",");
  return items.map((item) => item.trim()).filter((item) => item !== "");
}

const upstreams = list("UPSTREAM");
const edge = createEdge({
  upstreams: upstreams.length > 0 ? upstreams : ["http://127.0.0.1:7070"],
  allowedOrigins: list("ALLOWED_ORIGINS"),
  dev: false,
});
const server = Deno.serve(
  { port: Number(Deno.env.get("EDGE_PORT") ?? 8080), hostname: Deno.env.get("HOST") ?? "0.0.0.0" },
  (request) => edge.fetch(request),
);
await server.finished;
