/** Opens the store that the configuration asks for. MySQL is first connected to by `migrate`. */
import type { JobStore } from "./job-store.ts";
import { type MysqlStoreSettings, mysqlStore } from "./mysql.ts";
import { type SqliteStoreSettings, sqliteStore } from "./sqlite.ts";

export function openMysqlStore(settings: MysqlStoreSettings): JobStore {
  return mysqlStore(settings);
}

export function openSqliteStore(settings: SqliteStoreSettings): JobStore {
  return sqliteStore(settings);
}
