/** Real node processes for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const MAIN = join(import.meta.dirname, "../../src/cli/start.mjs");
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;

export interface NodeProcess {
  readonly url: string;
  readonly address: string;
  readonly pid: number;
  /** What it has logged so far, as JSON lines. */
  readonly log: string[];
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  isAlive(): boolean;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts `elastic-job node` (or another command that prints an address) and waits until it is up. */
export async function startNodeProcess(env: Readonly<Record<string, string>>): Promise<NodeProcess> {
  const child = spawn(process.execPath, [MAIN, "node"], {
    env: { PATH: process.env["PATH"] ?? "", HOST: "127.0.0.1", PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const address = await firstAddress(child, log);
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const pid = child.pid;
  if (pid === undefined) throw new Error("the node has no process");
  return {
    url: `http://${address}`,
    address,
    pid,
    log,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    signal: (signal) => child.kill(signal),
    isAlive: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      child.kill("SIGTERM");
      const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
      const code = await exited;
      clearTimeout(limit);
      return code;
    },
  };
}

function firstAddress(child: ChildProcess, log: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => {
      child.kill("SIGKILL");
      reject(new Error(`the node ${what}:\n${log.slice(-20).join("\n")}`));
    };
    const limit = setTimeout(() => fail(`is not up within ${START_LIMIT_MS} ms`), START_LIMIT_MS);
    child.once("exit", (code) => fail(`exited with ${code}`));
    if (child.stdout === null) return fail("has no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = /^node is at (.+)$/.exec(line)?.[1];
      if (address === undefined) return;
      clearTimeout(limit);
      child.removeAllListeners("exit");
      resolve(address);
    });
  });
}
