/** A MariaDB or MySQL of one test's own, to be killed, frozen, and started again on the same data. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import mysql from "mysql2/promise";
import { until } from "../fixtures/until.ts";
import { freeze } from "./freeze.ts";
import { startMysql } from "./mysql.ts";

const RESTART_LIMIT_MS = 60_000;

export interface OwnMysql {
  /** Of an empty database in it. */
  readonly url: string;
  readonly port: number;
  signal(name: NodeJS.Signals): void;
  /** SIGSTOP; resolves when it answers nothing any more. */
  freeze(): Promise<void>;
  /** SIGKILL: what was committed is on disk, and nothing else counts. */
  crash(): Promise<void>;
  /** After a crash; resolves when it answers. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startOwnMysql(): Promise<OwnMysql> {
  const server = await startMysql();
  const [program = "", ...args] = readFileSync(`/proc/${server.pid}/cmdline`, "utf8")
    .split("\0")
    .slice(0, -1);
  let child: ChildProcess | null = null;
  let pid = server.pid;
  const onExit = () => child?.kill("SIGKILL");
  process.once("exit", onExit);
  const answers = async () => {
    const connection = await mysql.createConnection({ host: "127.0.0.1", port: server.port, user: "root" });
    await connection.query("CREATE DATABASE IF NOT EXISTS elasticjob");
    await connection.end();
  };
  await answers();
  const isThere = (id: number) => {
    try {
      // A zombie that its parent has not reaped yet is gone for our purposes.
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${id}/status`, "utf8"));
    } catch {
      return false;
    }
  };
  return {
    url: `mysql://root@127.0.0.1:${server.port}/elasticjob`,
    port: server.port,
    signal: (name) => void process.kill(pid, name),
    freeze: () => freeze(pid),
    async crash() {
      process.kill(pid, "SIGKILL");
      await until("the database server is gone", () => !isThere(pid));
    },
    async restart() {
      const started = spawn(program, args, { stdio: "ignore" });
      child = started;
      pid = started.pid ?? 0;
      await until(
        "the database server is back",
        () =>
          answers().then(
            () => true,
            () => false,
          ),
        RESTART_LIMIT_MS,
      );
    },
    async stop() {
      process.off("exit", onExit);
      if (child !== null && child.exitCode === null && child.signalCode === null) {
        const exited = once(child, "exit");
        child.kill("SIGKILL");
        await exited;
      }
      await server.stop();
    },
  };
}
