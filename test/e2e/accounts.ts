/** What the accounts that were made in MySQL and Redis may do, tried with their passwords. */
import assert from "node:assert/strict";
import { documentedGrants } from "../servers/least-rights.ts";
import { docker } from "./docker.ts";
import { type Stack, until } from "./stack.ts";

const START_LIMIT_MS = 30_000;

export async function expectRedisClosed(stack: Stack): Promise<void> {
  const ask = async (password: string | null, words: readonly string[]) => {
    const user = password === null ? [] : ["--user", "elastic_job"];
    const auth = password === null ? {} : { REDISCLI_AUTH: password };
    const { stdout, stderr } = await stack.execWith(auth, "redis", "redis-cli", ...user, ...words);
    return (stdout + stderr).trim();
  };
  const refused = [
    ["get", "of-another"],
    ["set", "of-another", "1"],
    ["publish", "of-another", "1"],
    ["eval", "return redis.call('get', KEYS[1])", "1", "of-another"],
    ["keys", "*"],
    ["config", "get", "*"],
    ["acl", "list"],
    ["client", "list"],
    ["function", "list"],
    ["flushall"],
    ["shutdown", "nosave"],
  ];
  for (const words of [["get", "cluster"], ["ping"], ...refused]) {
    assert.match(await ask(null, words), /^NOAUTH /, `${words.join(" ")} without a password`);
  }
  assert.match(await ask("not-the-password", ["get", "cluster"]), /WRONGPASS/);
  const password = await stack.secret("node", "elastic-job/redis-password");
  assert.match(await ask(password, ["get", "cluster"]), /^[0-9a-f]{32}$/);
  for (const words of refused)
    assert.match(await ask(password, words), /NOPERM|ACL failure/, words.join(" "));
}

export async function expectLeastGrants(stack: Stack): Promise<void> {
  const { nodeGrants, migrateGrants } = documentedGrants();
  const users = "SELECT CONCAT(user, '@', host) FROM mysql.user WHERE user NOT LIKE 'mysql.%' ORDER BY 1";
  assert.deepEqual((await stack.asRoot(users)).split("\n"), [
    "elastic_job@%",
    "elastic_job_migrate@%",
    "root@localhost",
  ]);
  const sorted = (grants: string) => grants.split(", ").toSorted().join(", ");
  for (const [user, grants] of [
    ["elastic_job", nodeGrants],
    ["elastic_job_migrate", migrateGrants],
  ] as const) {
    const [usage, granted = "", ...more] = (await stack.asRoot(`SHOW GRANTS FOR ${user}`)).split("\n");
    assert.equal(usage, `GRANT USAGE ON *.* TO \`${user}\`@\`%\``);
    const [, rights = "", on] = /^GRANT (.*) ON (\S+) TO/.exec(granted) ?? [];
    assert.deepEqual([sorted(rights), on, more], [sorted(grants), "`elastic\\_job`.*", []]);
  }
  const password = await stack.secret("node", "elastic-job/mysql-password");
  const ask = (sql: string, word = password) => {
    const client = ["mysql", "--host=127.0.0.1", "--user=elastic_job", "--database=elastic_job", "-e", sql];
    return stack.execWith({ MYSQL_PWD: word }, "mysql", ...client);
  };
  assert.equal((await ask("SELECT COUNT(*) FROM jobinfo")).code, 0);
  assert.match((await ask("SELECT 1", "not-the-password")).stderr, /Access denied/);
  for (const sql of [
    "CREATE TABLE other (a INT)",
    "DROP TABLE jobinfo",
    "ALTER TABLE jobinfo ADD other INT",
    "CREATE DATABASE other",
    "CREATE USER other",
    "SELECT * FROM mysql.user",
    "SET GLOBAL max_connections = 1",
    "SELECT 1 INTO OUTFILE '/tmp/other'",
    "SHUTDOWN",
  ]) {
    assert.match((await ask(sql)).stderr, /denied|--secure-file-priv/, sql);
  }
  const root = [
    "mysql",
    "--defaults-extra-file=/run/secrets/mysql/root.cnf",
    "--host=127.0.0.1",
    "-e",
    "SELECT 1",
  ];
  assert.match(
    (await stack.exec("mysql", ...root)).stderr,
    /denied|not allowed/,
    "root is let in by the network",
  );
}

/** A volume of before had an open root, and a password for all to read: at its next start, the server has neither. */
export async function expectOldAccountsGone(stack: Stack): Promise<void> {
  await stack.asRoot(`
    CREATE USER 'root'@'%' IDENTIFIED BY 'root-of-this-volume-only';
    GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;
    ALTER USER 'elastic_job'@'%' IDENTIFIED BY 'in-this-network-only';
    GRANT ALL ON elastic_job.* TO 'elastic_job'@'%'`);
  const container = await stack.onlyContainer("mysql");
  await docker("restart", container);
  await until("healthy MySQL", START_LIMIT_MS, async () => {
    return (await docker("inspect", "--format", "{{.State.Health.Status}}", container)) === "healthy";
  });
  await expectLeastGrants(stack);
}
