/**
 * A database server of the tests' own: a child process with its files in a temporary folder, both
 * gone after `stop`, and also when this process exits without calling it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;
const KEPT_OUTPUT_CHARACTERS = 4_000;

export interface PrivateServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The path of the first of these programs that is there; null: none is. */
export function findProgram(names: readonly string[]): string | null {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/local/bin",
  ];
  for (const name of names) {
    for (const folder of folders) {
      if (folder === "") continue;
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not there: try the next folder.
      }
    }
  }
  return null;
}

export function requireProgram(names: readonly string[], packageName: string): string {
  const path = findProgram(names);
  if (path === null) throw new Error(`none of ${names.join(", ")} was found; install ${packageName}`);
  return path;
}

/** Runs a program to its end; throws with what it printed when it fails. */
export async function runProgram(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const output = keepOutput(child);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output()}`);
}

export function temporaryFolder(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `elastic-job-${name}-`));
}

export async function startServer(options: {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly url: string;
  readonly port: number;
  /** Resolves when it answers; throws while it does not. */
  readonly answers: () => Promise<void>;
}): Promise<PrivateServer> {
  const child = spawn(options.program, options.args, { stdio: ["ignore", "pipe", "pipe"] });
  const output = keepOutput(child);
  let gone = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      gone = true;
      resolve();
    };
    child.once("error", end);
    child.once("exit", end);
  });
  const onExit = () => {
    child.kill("SIGKILL");
    rmSync(options.folder, { recursive: true, force: true });
  };
  process.once("exit", onExit);
  const stop = async () => {
    process.off("exit", onExit);
    child.kill("SIGTERM");
    const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
    await rm(options.folder, { recursive: true, force: true });
  };
  const startedAt = performance.now();
  for (;;) {
    try {
      await options.answers();
      return { url: options.url, port: options.port, pid: child.pid ?? 0, stop };
    } catch (error) {
      if (gone || performance.now() - startedAt > START_LIMIT_MS) {
        const printed = output();
        await stop();
        throw new Error(`${options.program} did not come up:\n${printed}`, { cause: error });
      }
      await sleep(50);
    }
  }
}

function keepOutput(child: ChildProcess): () => string {
  let kept = "";
  const keep = (chunk: Buffer) => {
    kept = (kept + chunk.toString()).slice(-KEPT_OUTPUT_CHARACTERS);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return () => kept;
}
