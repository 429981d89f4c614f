/** A private MariaDB or MySQL: whichever is installed, or the server program that TEST_MYSQLD names. */
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import mysql from "mysql2/promise";
import { freePort } from "./free-port.ts";
import {
  type PrivateServer,
  requireProgram,
  runProgram,
  startServer,
  temporaryFolder,
} from "./private-server.ts";

export const MYSQL_PROGRAMS = ["mariadbd", "mysqld"] as const;

/** The path of the server program that is installed. */
export function installedMysql(): string {
  return requireProgram(MYSQL_PROGRAMS, "mariadb-server or mysql-server");
}

export async function startMysql({
  program = process.env["TEST_MYSQLD"] ?? installedMysql(),
  moreOptions = () => [],
}: {
  readonly program?: string;
  /** Of the server. They stand after those here, and win over them. */
  readonly moreOptions?: (isMariaDb: boolean) => readonly string[];
} = {}): Promise<PrivateServer> {
  const folder = await temporaryFolder("mysql");
  const data = join(folder, "data");
  const { isMariaDb, options } = await createDataFolder(program, data);
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
      `--pid-file=${join(folder, "mysql.pid")}`,
      "--skip-name-resolve",
      "--innodb-flush-log-at-trx-commit=1",
      "--innodb-buffer-pool-size=256M",
      "--max-connections=500",
      "--max-allowed-packet=64M",
      ...options,
      ...moreOptions(isMariaDb),
    ],
    answers: async () => {
      const connection = await mysql.createConnection({ host: "127.0.0.1", port, user: "root" });
      await connection.end();
    },
  });
}

/** An empty data folder, which lets root in from this machine without a password, and the options that this server needs with it. */
async function createDataFolder(
  program: string,
  data: string,
): Promise<{ readonly isMariaDb: boolean; readonly options: readonly string[] }> {
  const isMariaDb = execFileSync(program, ["--version"], { encoding: "utf8" }).includes("MariaDB");
  const asRoot = process.getuid?.() === 0 ? ["--user=root"] : [];
  // A server that starts, be it only to fill this folder, removes the temporary tables of others from a folder that they share.
  const common = [`--tmpdir=${dirname(data)}`, ...asRoot];
  // No folder that the package would have made for exports is needed.
  const options = isMariaDb ? common : ["--mysqlx=OFF", "--secure-file-priv=NULL", ...common];
  if (isMariaDb) await initializeMariaDb(data, options);
  else await initializeMysql(program, data, options);
  return { isMariaDb, options };
}

async function initializeMysql(program: string, data: string, options: readonly string[]): Promise<void> {
  const init = `${data}.sql`;
  // By itself it lets root in from the name "localhost" only, and names are not resolved.
  await writeFile(
    init,
    "CREATE USER root@'127.0.0.1';\nGRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n",
  );
  const own = ["--initialize-insecure", `--datadir=${data}`, `--init-file=${init}`];
  await runProgram(program, ["--no-defaults", ...own, ...options]);
}

async function initializeMariaDb(data: string, options: readonly string[]): Promise<void> {
  const script = requireProgram(["mariadb-install-db", "mysql_install_db"], "mariadb-server");
  // "normal": root without a password over TCP too, not only through the socket.
  await runProgram(script, [
    "--no-defaults",
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--skip-name-resolve",
    ...options,
  ]);
}
