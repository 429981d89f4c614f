/** The edge as a process on Deno: `deno task edge`. It stops in good order on SIGTERM, also as a container's first process. */
import { edgeFromDenoEnvironment } from "./deno-edge.ts";

declare const Deno: {
  readonly exit: (code: number) => never;
  readonly addSignalListener: (signal: "SIGTERM" | "SIGINT", listener: () => void) => void;
  serve(
    options: {
      readonly port: number;
      readonly hostname: string;
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

try {
  const { edge, host, port, upstreams } = edgeFromDenoEnvironment();
  const server = Deno.serve(
    {
      port,
      hostname: host,
      onListen: (address) =>
        console.log(`edge is at http://${address.hostname}:${address.port}, for ${upstreams}`),
    },
    (request, { remoteAddr }) => edge.fetch(request, { remote: remoteAddr.hostname }),
  );
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      setTimeout(() => Deno.exit(0), CLOSE_GRACE_MS);
      void server.shutdown().then(() => Deno.exit(0));
    });
  }
  await server.finished;
} catch (error) {
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  const taken = name === "AddrInUse" ? "EDGE_PORT: it is taken; set EDGE_PORT to a free port: " : "";
  console.error(`error: ${taken}${message}`);
  Deno.exit(name === "ElasticJobError" ? 2 : 1);
}
