/** Opens the store that the configuration asks for. MySQL is first connected to by `migrate`. */
import { invalidArgument } from "../core/errors.ts";
import type { JobStore } from "./job-store.ts";
import { type MysqlStoreSettings, mysqlStore } from "./mysql.ts";
import { type SqliteStoreSettings, sqliteStore } from "./sqlite.ts";

export function openMysqlStore(settings: MysqlStoreSettings): JobStore {
  const url = URL.parse(settings.url);
  const isMysql = url !== null && (url.protocol === "mysql:" || url.protocol === "mysqls:");
  if (!isMysql || url.hostname === "" || url.pathname.length < 2) {
    throw invalidArgument([
      {
        field: "MYSQL_URL",
        message: `expected mysql://user:password@host:3306/database${url === null ? "" : `, got ${withoutPassword(url)}`}`,
      },
    ]);
  }
  return mysqlStore(settings);
}

export function openSqliteStore(settings: SqliteStoreSettings): JobStore {
  return sqliteStore(settings);
}

function withoutPassword(url: URL): string {
  const shown = new URL(url);
  if (shown.password !== "") shown.password = "***";
  return shown.href;
}
