import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnMysql, startOwnMysql } from "../../../servers/own-mysql.ts";
import { freshPrefix, redisUrl } from "../../../servers/shared.ts";
import { cleanUpWhileJobsFlow } from "./clean-up.ts";

// A server of its own: that of all tests counts the deadlocks of all tests.
let server: OwnMysql;

beforeAll(async () => {
  server = await startOwnMysql();
});

afterAll(() => server?.stop());

test("20,000 finished jobs are cleaned up while jobs flow, with no deadlock", {
  timeout: 150_000,
}, async () => {
  const done = await cleanUpWhileJobsFlow({
    mysqlUrl: server.url,
    redisUrl: redisUrl(),
    prefix: freshPrefix(),
    finishedJobs: 20_000,
    limitMs: 90_000,
    pauseMs: 100,
  });
  const { finished } = done;
  expect(done.deadlocks).toBe(0);
  expect(done.lockTimeouts).toBe(0);
  expect(done.complaints).toEqual([]);
  expect(done.flowed).toBeGreaterThan(500);
  expect(done.notSucceeded).toBe(0);
  expect([...done.jobs.symmetricDifference(finished.keptJobs)]).toEqual([]);
  expect([...done.results.symmetricDifference(finished.keptResults)]).toEqual([]);
  expect([...done.keys.symmetricDifference(finished.keptKeys)]).toEqual([]);
  expect(done.lists).toBeGreaterThan(0);
  expect(done.wrongLists).toEqual([]);
});
