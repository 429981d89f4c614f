/** The texts of several statements that go to MySQL as one: a process that is frozen in them holds up nobody for longer than a second. */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type JobRecord, NEVER } from "../../../src/core/job.ts";
import type { JobKey, JobStore } from "../../../src/store/job-store.ts";
import { ConnectionPool } from "../../../src/store/mysql/connection-pool.ts";
import { insertJobs } from "../../../src/store/mysql/insert-jobs.ts";
import { openMysqlStore } from "../../../src/store/open.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { expectCode, job, spec } from "../../fixtures/store-fixture.ts";
import { until } from "../../fixtures/until.ts";
import { freshDatabase } from "../../servers/shared.ts";
import { type CuttingProxy, startCuttingProxy } from "./cutting-proxy.ts";

const PACKET = 16 * 1024 * 1024;

let database: Awaited<ReturnType<typeof freshDatabase>>;
let proxy: CuttingProxy;
let proxied: string;
let store: JobStore;
let epoch = 0;
let nextId = 1;

beforeAll(async () => {
  database = await freshDatabase();
  const url = new URL(database.url);
  proxy = await startCuttingProxy(url.hostname, Number(url.port || 3306));
  url.host = `127.0.0.1:${proxy.port}`;
  proxied = url.href;
  store = openMysqlStore({ url: database.url, clock: systemClock });
  await store.migrate();
}, 60_000);

beforeEach(() => elect());

afterAll(async () => {
  await store?.close();
  await proxy?.close();
  await database?.drop();
});

async function elect(): Promise<void> {
  expect(await store.advanceEpoch(epoch, { epoch: epoch + 1, incarnation: `master-${epoch + 1}` })).toBe(
    true,
  );
  epoch++;
}

function keyOf(jobId: number): JobKey {
  return { key: `job:${jobId}`, jobId, expiresAt: NEVER };
}

describe("an add with keys that fails inside", () => {
  /** Adds through the proxy, which lets through nothing that comes after the answer. */
  async function addFrozen(jobs: readonly JobRecord[], under = epoch): Promise<void> {
    const frozen = openMysqlStore({ url: proxied, clock: systemClock, connections: 1 });
    const held = proxy.freezeAfter("INSERT INTO jobkey");
    const added = frozen.insertJobs(
      under,
      jobs,
      jobs.slice(0, 1).map(({ id }) => keyOf(id)),
    );
    added.catch(() => {});
    onTestFinished(async () => {
      await frozen.close();
    });
    await until("the rollback is on its way", () => held.heldBytes > 0);
  }

  async function electionMs(): Promise<number> {
    const startedAt = performance.now();
    await elect();
    return performance.now() - startedAt;
  }

  test("at a taken id (1062), frozen before its rollback, delays the next election by a second at most", async () => {
    const [free, taken] = [nextId++, nextId++];
    await store.insertJobs(epoch, [job(taken)], []);
    await addFrozen([job(free), job(taken)]);
    expect(await electionMs()).toBeLessThan(1_800);
    expect((await store.readJobs([free])).size).toBe(0);
  }, 60_000);

  test("at a stale epoch (1048), frozen before its rollback, delays the next election by a second at most", async () => {
    const id = nextId++;
    await addFrozen([job(id)], epoch - 1);
    expect(await electionMs()).toBeLessThan(1_800);
    expect((await store.readJobs([id])).size).toBe(0);
  }, 60_000);
});

test("a connection is bound to a second only while the packet goes, whatever becomes of that", async () => {
  const pool = new ConnectionPool({
    url: database.url,
    clock: systemClock,
    connections: 1,
    statementLimitMs: 5_000,
  });
  onTestFinished(() => pool.close());
  const add = (jobs: readonly JobRecord[], keys: readonly JobKey[], under = epoch) =>
    pool.use((session) => insertJobs(session, under, jobs, keys, PACKET));
  const idleSeconds = async () => {
    const [row] = await pool.use((session) =>
      session.read<{ s: number }>("SELECT @@SESSION.wait_timeout AS s", []),
    );
    return Number(row?.s);
  };
  const id = nextId++;
  await add([job(id)], [keyOf(id)]);
  expect(await idleSeconds()).toBe(30);
  const other = nextId++;
  await expectCode(add([job(other)], [{ ...keyOf(id), jobId: other }]), "key_taken");
  expect(await idleSeconds()).toBe(30);
  await expectCode(add([{ ...job(id), createTime: 1 }], [keyOf(other)]), "internal");
  expect(await idleSeconds()).toBe(30);
  await expectCode(add([job(other)], [keyOf(other)], epoch - 1), "stale_epoch");
  expect(await idleSeconds()).toBe(30);
});

test("a proof of the fence that is frozen in its transaction is given up after a second, and done again", async () => {
  const starting = openMysqlStore({
    url: proxied,
    clock: systemClock,
    connections: 4,
    statementLimitMs: 20_000,
  });
  onTestFinished(() => starting.close());
  const held = proxy.freezeAfter("UPDATE jobcluster SET epoch = epoch + 1 WHERE id = 2");
  await starting.migrate();
  expect(held.heldBytes).toBeGreaterThan(0);
}, 60_000);

describe("a row that MySQL would refuse", () => {
  const specText = (bytes: number) => {
    const plain = spec({ requirements: { slots: 1, memoryMb: 0, labels: { a: "" } } });
    return { ...plain, requirements: { ...plain.requirements, labels: { a: "x".repeat(bytes) } } };
  };

  test.each<[string, Partial<JobRecord>, string]>([
    [
      "a name of 256 characters",
      { spec: spec({ name: "😀".repeat(256) }) },
      "jobinfo.name: text of 1024 bytes",
    ],
    ["a spec of more than 64 KiB", { spec: specText(65_536) }, "jobinfo.spec: text of 65"],
    [
      "a payload of 16 MiB",
      { spec: spec({ payload: "x".repeat(16 * 1024 * 1024) }) },
      "max_allowed_packet|jobinfo.payload",
    ],
    ["a priority of 32768", { spec: spec({ priority: 32_768 }) }, "jobinfo.priority: 32768"],
    ["a time that is no integer", { at: 0.5 }, "jobinfo.at: 0.5"],
    ["a number that is none", { updateTime: Number.NaN }, "jobinfo.update_time: NaN"],
    ["a class that is too large", { classId: 2 ** 31 }, "jobinfo.class: 2147483648"],
  ])("is found before it is sent with keys: %s", async (_name, changes, says) => {
    const id = nextId++;
    const good = job(nextId++);
    const error = await expectCode(
      store.insertJobs(epoch, [good, job(id, changes)], [keyOf(id)]),
      "invalid_argument",
    );
    expect(error.message).toMatch(new RegExp(`${says}.*`));
    expect(error.message).not.toContain("MySQL refused");
    expect((await store.readJobs([id, good.id])).size).toBe(0);
  });

  test("is found before it is sent: a key of 256 bytes", async () => {
    const id = nextId++;
    const key = { key: `job:${"ä".repeat(126)}`, jobId: id, expiresAt: NEVER };
    const error = await expectCode(store.insertJobs(epoch, [job(id)], [key]), "invalid_argument");
    expect(error.message).toBe("jobkey.k: text of 256 bytes is not accepted; up to 255 bytes is");
  });

  test("is not one that just fits", async () => {
    const id = nextId++;
    const changes = {
      claim: 4_294_967_295,
      at: NEVER - 1,
      spec: spec({ name: "😀".repeat(255), priority: -32_768 }),
    };
    await store.insertJobs(epoch, [job(id, changes)], [{ ...keyOf(id), key: "x".repeat(255) }]);
    expect((await store.readJobs([id])).get(id)).toMatchObject(changes);
  });
});
