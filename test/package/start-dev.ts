import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../fixtures/until.ts";
import { usersEnvironment } from "./users-environment.ts";

export interface Dev {
  /** Of its edge. */
  readonly url: string;
  readonly printed: string;
  stop(): Promise<void>;
}

/** Starts `elastic-job dev` by a command line, in the folder, and waits for the line that tells where it is. */
export async function startDev(
  [program, ...args]: readonly [string, ...string[]],
  cwd: string,
  settings: Record<string, string> = {},
  node?: string,
): Promise<Dev> {
  const ports = { HOST: "127.0.0.1", PORT: "0", EDGE_PORT: "0", LOG_LEVEL: "warn" };
  const env = usersEnvironment({ ...ports, DATA_DIR: await mkdtemp(join(cwd, "data-")), ...settings }, node);
  // A group of its own: npx starts others, which a signal for all of them ends.
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const ended = once(child, "exit");
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      printed += part.toString();
    });
  }
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      process.kill(-child.pid, "SIGTERM");
    }
    await ended;
  };
  const isUp = () => / is at http:\S+/.test(printed);
  try {
    await until("dev is up", () => isUp() || child.exitCode !== null, 100_000);
    if (!isUp()) throw new Error(`dev has ended with ${child.exitCode}`);
  } catch (error) {
    await stop();
    throw new Error(`${String(error)}; it printed:\n${printed}`, { cause: error });
  }
  const [, url = ""] = / is at (http:\S+)/.exec(printed) ?? [];
  return { url, printed, stop };
}
