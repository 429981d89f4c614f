/** The servers of a run, with durable settings: what is acknowledged is on disk (Redis: within a second). */
import { globSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../test/servers/free-port.ts";
import * as mysql from "../test/servers/mysql.ts";
import {
  findProgram,
  type PrivateServer,
  runProgram,
  startServer,
  temporaryFolder,
} from "../test/servers/private-server.ts";
import * as redis from "../test/servers/redis.ts";

export interface MysqlOptions {
  /** A program's path; null: the one that is installed. */
  readonly program: string | null;
  readonly binlog: boolean;
  /** Counts what each statement costs; it costs some itself. */
  readonly statements: boolean;
}

export function startMysql(options: MysqlOptions): Promise<PrivateServer> {
  return mysql.startMysql({
    program: options.program ?? mysql.installedMysql(),
    moreOptions: (isMariaDb) => [
      "--innodb-buffer-pool-size=2G",
      isMariaDb ? "--innodb-log-file-size=1G" : "--innodb-redo-log-capacity=1G",
      `--performance-schema=${options.statements ? "ON" : "OFF"}`,
      ...(options.binlog
        ? ["--log-bin=binlog", "--server-id=1", "--sync-binlog=1", "--binlog-format=ROW"]
        : isMariaDb
          ? []
          : ["--skip-log-bin"]),
    ],
  });
}

export function startRedis(): Promise<PrivateServer> {
  return redis.startRedis(["--appendonly", "yes", "--appendfsync", "everysec"]);
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. */
export async function startPostgres(): Promise<PrivateServer> {
  const program = findPostgres("postgres");
  const initdb = findPostgres("initdb");
  if (program === null || initdb === null) {
    throw new Error(
      "graphile-worker and pg-boss need PostgreSQL: install postgresql, or leave them out with --against bullmq",
    );
  }
  const folder = await temporaryFolder("bench-postgres");
  const data = join(folder, "data");
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await runProgram("chown", ["postgres", folder]);
  const asUser = isRoot ? ["--reuid=postgres", "--regid=postgres", "--init-groups"] : [];
  const [wrapper, wrapped] = isRoot ? ["setpriv", (name: string) => [...asUser, name]] : [null, () => []];
  const run = (name: string, args: readonly string[]) =>
    [wrapper ?? name, [...wrapped(name), ...args]] as const;
  await runProgram(...run(initdb, ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]));
  const port = await freePort();
  const [started, args] = run(program, [
    ...["-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-k", ""],
    ...["-c", "shared_buffers=1GB", "-c", "max_wal_size=4GB", "-c", "max_connections=200"],
    ...["-c", "fsync=on", "-c", "synchronous_commit=on"],
  ]);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return startServer({
    program: started,
    args,
    folder,
    port,
    url,
    answers: async () => {
      const { Client } = await import("pg");
      const client = new Client({ connectionString: url });
      await client.connect();
      await client.end();
    },
  });
}

/** Debian keeps them out of the PATH, in a folder for each version. */
function findPostgres(name: string): string | null {
  const [newest] = globSync(`/usr/lib/postgresql/*/bin/${name}`).sort().reverse();
  return findProgram([name]) ?? newest ?? null;
}
