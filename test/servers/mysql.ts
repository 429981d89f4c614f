/** A private MariaDB or MySQL, whichever is installed. */
import { join } from "node:path";
import mysql from "mysql2/promise";
import { freePort } from "./free-port.ts";
import {
  findProgram,
  type PrivateServer,
  requireProgram,
  runProgram,
  startServer,
  temporaryFolder,
} from "./private-server.ts";

export const MYSQL_PROGRAMS = ["mariadbd", "mysqld"] as const;

export async function startMysql(): Promise<PrivateServer> {
  const program = requireProgram(MYSQL_PROGRAMS, "mariadb-server or mysql-server");
  const folder = await temporaryFolder("mysql");
  const data = join(folder, "data");
  const asRoot = process.getuid?.() === 0 ? ["--user=root"] : [];
  await initialize(program, data, asRoot);
  const port = await freePort();
  return startServer({
    program,
    folder,
    port,
    url: `mysql://root@127.0.0.1:${port}/`,
    args: [
      "--no-defaults",
      `--datadir=${data}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      `--socket=${join(folder, "mysql.sock")}`,
      // A server that starts removes the temporary tables of others from a folder that they share.
      `--tmpdir=${folder}`,
      `--pid-file=${join(folder, "mysql.pid")}`,
      "--skip-name-resolve",
      "--innodb-flush-log-at-trx-commit=1",
      "--innodb-buffer-pool-size=256M",
      "--max-connections=500",
      "--max-allowed-packet=64M",
      ...(program.endsWith("mysqld") && findInitializer() === null ? ["--mysqlx=OFF"] : []),
      ...asRoot,
    ],
    answers: async () => {
      const connection = await mysql.createConnection({ host: "127.0.0.1", port, user: "root" });
      await connection.end();
    },
  });
}

/** MariaDB's script for a new data folder; null with MySQL, whose server does that itself. */
function findInitializer(): string | null {
  return findProgram(["mariadb-install-db", "mysql_install_db"]);
}

async function initialize(program: string, data: string, asRoot: readonly string[]): Promise<void> {
  const script = findInitializer();
  if (script === null) {
    await runProgram(program, ["--no-defaults", "--initialize-insecure", `--datadir=${data}`, ...asRoot]);
    return;
  }
  // "normal": root without a password over TCP too, not only through the socket.
  await runProgram(script, [
    "--no-defaults",
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--skip-name-resolve",
    ...asRoot,
  ]);
}
