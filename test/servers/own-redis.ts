/** A Redis process for one test to kill and freeze. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "redis";
import { until } from "../fixtures/until.ts";
import { freePort } from "./free-port.ts";
import { freeze } from "./freeze.ts";
import { requireProgram, temporaryFolder } from "./private-server.ts";
import { REDIS_PROGRAMS } from "./redis.ts";

const KEPT_CHARACTERS = 4_000;

export interface OwnRedis {
  readonly port: number;
  signal(name: NodeJS.Signals): void;
  /** SIGSTOP; resolves when it answers nothing any more. */
  freeze(): Promise<void>;
  /** Runs one command, on a connection of its own. */
  command(...args: string[]): Promise<unknown>;
  /** Kills it. */
  stop(): Promise<void>;
}

export async function spawnRedis(options: {
  readonly port?: number;
  readonly args?: readonly string[];
  /** The file of a Sentinel, which must have one to write to. */
  readonly sentinelConfig?: string;
}): Promise<OwnRedis> {
  const program = requireProgram(REDIS_PROGRAMS, "redis-server");
  const folder = await temporaryFolder("own-redis");
  const port = options.port ?? (await freePort());
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder];
  const file = join(folder, "sentinel.conf");
  if (options.sentinelConfig === undefined) args.push("--save", "", "--appendonly", "no");
  else await writeFile(file, options.sentinelConfig);
  const first = options.sentinelConfig === undefined ? [] : [file, "--sentinel"];
  const child = spawn(program, [...first, ...args, ...(options.args ?? [])], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const onExit = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", onExit);
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-KEPT_CHARACTERS);
  });
  const command = async (...words: string[]) => {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: false } });
    client.on("error", () => {});
    await client.connect();
    return client.sendCommand(words).finally(() => client.destroy());
  };
  await until(`Redis on ${port}`, () => {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`Redis ended with ${child.exitCode ?? child.signalCode}:\n${printed}`);
    }
    return command("PING").then(
      () => true,
      () => false,
    );
  });
  return {
    port,
    signal: (name) => child.kill(name),
    freeze: () => freeze(child.pid ?? 0),
    command,
    stop: async () => {
      process.off("exit", onExit);
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}
