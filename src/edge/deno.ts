/** The edge as a process on Deno: `deno task edge`. It stops in good order on SIGTERM, also as a container's first process. */
import { edgeFromDenoEnvironment } from "./deno-edge.ts";

declare const Deno: {
  readonly exit: (code: number) => never;
  readonly addSignalListener: (signal: "SIGTERM" | "SIGINT", listener: () => void) => void;
  serve(
    options: {
      readonly port: number;
      readonly hostname: string;
      readonly cert?: string;
      readonly key?: string;
      readonly reusePort?: boolean;
      readonly onListen: (address: { readonly hostname: string; readonly port: number }) => void;
    },
    handler: (
      request: Request,
      connection: { readonly remoteAddr: { readonly hostname: string } },
    ) => Response | Promise<Response>,
  ): { readonly finished: Promise<void>; shutdown(): Promise<void> };
};

/** Streams have no end of their own. */
const CLOSE_GRACE_MS = 5_000;
const LOOK_EVERY_MS = 5_000;

try {
  const { edge, host, port, upstreams, tls } = edgeFromDenoEnvironment();
  const certificate = () => tls?.certificates().own ?? null;
  const scheme = certificate() === null ? "http" : "https";
  const serve = (more: { readonly cert?: string; readonly key?: string }, told: boolean) =>
    Deno.serve(
      {
        port,
        hostname: host,
        // For as long as it takes to turn from one certificate to the next, two listen.
        reusePort: scheme === "https" && port !== 0,
        ...more,
        onListen: (address) => {
          if (told)
            console.log(`edge is at ${scheme}://${address.hostname}:${address.port}, for ${upstreams}`);
        },
      },
      (request, { remoteAddr }) => edge.fetch(request, { remote: remoteAddr.hostname }),
    );
  let shown = certificate();
  let server = serve(shown ?? {}, true);
  let stopping = false;
  // Deno's server takes its certificate at the start alone: a new one has a server of its own, and the one before ends its calls.
  const looking = setInterval(() => {
    const now = certificate();
    if (now === shown || now === null || port === 0) return;
    shown = now;
    const before = server;
    server = serve(now, false);
    void before.shutdown();
  }, LOOK_EVERY_MS);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      stopping = true;
      clearInterval(looking);
      setTimeout(() => Deno.exit(0), CLOSE_GRACE_MS);
      void server.shutdown().then(() => Deno.exit(0));
    });
  }
  for (let last = server; ; last = server) {
    await last.finished;
    if (stopping || last === server) break;
  }
} catch (error) {
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  const taken = name === "AddrInUse" ? "EDGE_PORT: it is taken; set EDGE_PORT to a free port: " : "";
  console.error(`error: ${taken}${message}`);
  Deno.exit(name === "ElasticJobError" ? 2 : 1);
}
