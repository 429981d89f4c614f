import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { expect, onTestFinished, test } from "vitest";
import { openMysqlStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { mysqlUrl } from "../../servers/shared.ts";

const README = readFileSync(join(import.meta.dirname, "../../../README.md"), "utf8");

test("the README's line creates a database and a user that its MYSQL_URL then works with", async () => {
  const sql = /^mysql -u root -p -e "(.+)"$/m.exec(README)?.[1];
  const shownUrl = /MYSQL_URL=(mysql:\S+)/.exec(README)?.[1];
  if (sql === undefined || shownUrl === undefined) throw new Error("the README does not say how");
  // Names of its own: the server may be one that others use, too.
  const name = `ej_readme_${randomBytes(6).toString("hex")}`;
  const server = new URL(mysqlUrl());
  const url = new URL(shownUrl);
  url.host = server.host;
  const user = decodeURIComponent(url.username);
  const database = url.pathname.slice(1);
  const renamed = sql
    .replaceAll(`'${user}'`, `'${name}'`)
    .replaceAll(new RegExp(`\\b${database}\\b`, "g"), name);
  expect(renamed.match(new RegExp(name, "g"))).toHaveLength(4);
  url.username = name;
  url.pathname = `/${name}`;

  const root = await mysql.createConnection({
    host: server.hostname,
    port: Number(server.port || 3306),
    user: decodeURIComponent(server.username),
    password: decodeURIComponent(server.password),
    multipleStatements: true,
  });
  onTestFinished(async () => {
    await root.query(`DROP DATABASE IF EXISTS ${name}; DROP USER IF EXISTS '${name}'@'%'`);
    await root.end();
  });
  await root.query(renamed);
  const store = openMysqlStore({ url: url.href, clock: systemClock });
  onTestFinished(() => store.close());
  await store.migrate();
  expect(await store.readMastership()).toMatchObject({ epoch: 0 });
});
