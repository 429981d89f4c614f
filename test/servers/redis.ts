/** A private Redis that keeps nothing on disk, unless told to. */
import { createClient } from "redis";
import { freePort } from "./free-port.ts";
import { type PrivateServer, requireProgram, startServer, temporaryFolder } from "./private-server.ts";

export const REDIS_PROGRAMS = ["redis-server", "valkey-server"] as const;

export async function startRedis(keeping = ["--appendonly", "no"]): Promise<PrivateServer> {
  const program = requireProgram(REDIS_PROGRAMS, "redis-server");
  const folder = await temporaryFolder("redis");
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}/0`;
  return startServer({
    program,
    folder,
    port,
    url,
    args: ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...keeping],
    answers: async () => {
      const client = createClient({ url, socket: { reconnectStrategy: false } });
      client.on("error", () => {});
      await client.connect();
      await client.close();
    },
  });
}
