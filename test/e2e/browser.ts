/** A real browser, with a page from an origin of its own, that calls through the edge. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { findProgram } from "../servers/private-server.ts";

export interface BrowserOutcome {
  readonly userAgent: string;
  /** The states that the job was seen in, or why it failed. */
  readonly connect: string[] | string;
  readonly grpcWeb: string[] | string;
}

const LIMIT_MS = 60_000;
const PROGRAMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function findBrowser(): string | null {
  return findProgram(PROGRAMS);
}

/** `port`: where the page is served, an origin that the edge must allow. */
export async function runBrowser(options: {
  readonly browser: string;
  readonly port: number;
  readonly edgeUrl: string;
  readonly token: string;
}): Promise<BrowserOutcome> {
  const { browser, port, edgeUrl, token } = options;
  const script = await bundle(join(import.meta.dirname, "browser-page.ts"));
  return (await openPage({ browser, port, script, query: { edge: edgeUrl, token } })) as BrowserOutcome;
}

/** Opens a page with this script, and returns the JSON that it posts to /outcome. `port`: where the page is served. */
export async function openPage(options: {
  readonly browser: string;
  readonly port: number;
  readonly script: string;
  readonly query: Record<string, string>;
}): Promise<unknown> {
  const { browser, port, script, query } = options;
  const outcome = Promise.withResolvers<unknown>();
  const server = createServer(async (request, response) => {
    if (request.method === "POST" && request.url === "/outcome") {
      let body = "";
      for await (const chunk of request) body += chunk;
      response.end();
      outcome.resolve(JSON.parse(body));
    } else if (request.url === "/page.js") {
      response.writeHead(200, { "content-type": "text/javascript" }).end(script);
    } else {
      response.writeHead(200, { "content-type": "text/html" });
      response.end('<!doctype html><title>test</title><script type="module" src="/page.js"></script>');
    }
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port }, resolve));
  const profile = await mkdtemp(join(tmpdir(), "elastic-job-browser-"));
  const page = `http://127.0.0.1:${port}/?${new URLSearchParams(query)}`;
  const child = spawn(browser, [...FLAGS, `--user-data-dir=${profile}`, "--remote-debugging-port=0", page], {
    stdio: "ignore",
  });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.once("error", (error) => outcome.reject(error));
  const limit = setTimeout(
    () => outcome.reject(new Error(`the page told nothing within ${LIMIT_MS} ms`)),
    LIMIT_MS,
  );
  try {
    return await outcome.promise;
  } finally {
    clearTimeout(limit);
    child.kill("SIGKILL");
    await gone;
    server.closeAllConnections();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

async function bundle(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, minify: false, lib: { entry, formats: ["es"], fileName: "page" } },
  });
  const [output] = Array.isArray(built) ? built : [built];
  if (output === undefined || !("output" in output)) throw new Error("the page could not be bundled");
  return output.output[0].code;
}
