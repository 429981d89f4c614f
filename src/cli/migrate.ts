import { Command } from "commander";
import type { Environment } from "../config.ts";

const NOTES = `
Nodes do this themselves when they start; run it alone to use an account with more rights, or to see
beforehand that it works. Settings (environment): MYSQL_URL (and MYSQL_PASSWORD, or their _FILE), or DATA_DIR for SQLite.

Example:
  MYSQL_URL=mysql://admin:secret@localhost/jobs elastic-job migrate`;

export function migrateCommand(env: Environment): Command {
  return new Command("migrate")
    .description("create or migrate the tables, and prove that the database keeps the fence")
    .addHelpText("after", NOTES)
    .action(async () => {
      const [{ openStore }, { parseStoreConfig }, { makeDataFolder }] = await Promise.all([
        import("../app.ts"),
        import("../config.ts"),
        import("../data-folder.ts"),
      ]);
      const config = parseStoreConfig(env);
      if (config.mysqlUrl === null) makeDataFolder(config.dataDir);
      const store = openStore(config);
      try {
        await store.migrate();
      } finally {
        await store.close();
      }
      process.stdout.write("the tables are up to date\n");
    });
}
