/** The handlers of docs/guarantees.md, with attempts whose effect was there already. */
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { pageBlocks } from "../../fixtures/page-blocks.ts";
import { freshDatabase } from "../../servers/shared.ts";
import { startRig } from "../node/pool-rig.ts";
import { type UsersFolder, usersFolder } from "./users-folder.ts";

const HEADING = "Effects that happen once";
const succeeded = (output: unknown) => ({ kind: "succeeded", output: JSON.stringify(output) });

let user: UsersFolder;
beforeAll(async () => {
  user = await usersFolder();
});
afterAll(() => user.remove());

/** A pool with the page's module of this name. */
async function load(name: string, env: Record<string, string>) {
  const source = pageBlocks("guarantees.md", "ts", HEADING).find((block) => block.startsWith(`// ${name}\n`));
  if (source === undefined) throw new Error(`docs/guarantees.md has no ${name}`);
  const path = join(user.path, name);
  await writeFile(path, source);
  const rig = await startRig({ handlersUrl: pathToFileURL(path).href, env, limits: { startMs: 15_000 } });
  onTestFinished(() => rig.stop());
  return rig;
}

test("a payout that is tried again is paid once, and the next occurrence once more", async () => {
  const database = await freshDatabase({ isEmpty: true });
  onTestFinished(() => database.drop());
  const [tables = ""] = pageBlocks("guarantees.md", "sql", HEADING);
  const connection = await mysql.createConnection({ uri: database.adminUrl, multipleStatements: true });
  onTestFinished(() => connection.end());
  await connection.query(tables);
  await connection.query("INSERT INTO balances VALUES (7, 1000)");

  const { run } = await load("payout.mts", { PAYOUTS_URL: database.adminUrl });
  const payload = '{"account": 7, "cents": 100}';
  const first = { jobId: 1, payload };
  expect(await run("payout", first).end).toEqual(succeeded({ paid: 100, isNew: true }));
  expect(await run("payout", { ...first, attempt: 2, claim: 2 }).end).toEqual(
    succeeded({ paid: 100, isNew: false }),
  );
  expect(await run("payout", { ...first, scheduledAt: 1 }).end).toEqual(
    succeeded({ paid: 100, isNew: true }),
  );
  const [[balance]] = await connection.query<mysql.RowDataPacket[]>("SELECT cents FROM balances");
  expect(balance).toEqual({ cents: 800 });
});

test("a charge whose answer was lost is made once, as both attempts say the same key", async () => {
  const charged = new Map<string, number>();
  let answersToLose = 1;
  const server = createServer((request, response) => {
    const key = String(request.headers["idempotency-key"]);
    const isRefused = request.headers["content-length"] === "2";
    if (isRefused) return void response.writeHead(422).end("no amount");
    if (!charged.has(key)) charged.set(key, charged.size + 1);
    if (answersToLose-- > 0) return void response.destroy();
    response.setHeader("content-type", "application/json").end(JSON.stringify({ charge: charged.get(key) }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;

  const { run } = await load("charge.mts", { PAYMENTS_URL: `http://127.0.0.1:${port}` });
  const job = { jobId: 1, payload: '{"cents": 100}' };
  expect(await run("charge", job).end).toMatchObject({ kind: "failed", isPermanent: false });
  expect(await run("charge", { ...job, attempt: 2, claim: 2 }).end).toEqual(succeeded({ charge: 1 }));
  expect(await run("charge", { jobId: 2, payload: "{}" }).end).toMatchObject({ isPermanent: true });
  expect([...charged.keys()]).toEqual(["1-0"]);
});
