/**
 * Cleans up finished jobs while others flow as fast as they go: `node bench/retention.ts [jobs, default
 * 1000000]`. Starts a MySQL or MariaDB, a Redis and two nodes of its own, and ends with 1 when a deadlock
 * was seen, a job that flowed was harmed, or something else is left than should be.
 */
import { availableParallelism } from "node:os";
import { cleanUpWhileJobsFlow } from "../test/integration/master/ending/clean-up.ts";
import { startOwnMysql } from "../test/servers/own-mysql.ts";
import { startRedis } from "../test/servers/redis.ts";

const LIMIT_MS = 3_600_000;

const [size = "1000000"] = process.argv.slice(2);
if (!/^[1-9]\d{2,7}$/.test(size)) {
  console.error("usage: node bench/retention.ts [jobs, 100 to 99999999]");
  process.exit(2);
}
const mysql = await startOwnMysql();
const redis = await startRedis();
try {
  const done = await cleanUpWhileJobsFlow({
    mysqlUrl: mysql.url,
    redisUrl: redis.url,
    prefix: "bench:",
    finishedJobs: Number(size),
    limitMs: LIMIT_MS,
    pauseMs: 0,
    progress: (line) => console.log(line),
  });
  const { finished, addMs } = done;
  const removed = finished.lastId - finished.firstId + 1 - finished.keptJobs.size;
  const seconds = done.tookMs / 1000;
  const at = (share: number) => (addMs[Math.floor(share * (addMs.length - 1))] ?? 0).toFixed(0);
  const jobsRight = done.jobs.symmetricDifference(finished.keptJobs).size === 0;
  const resultsRight = done.results.symmetricDifference(finished.keptResults).size === 0;
  const keysRight = done.keys.symmetricDifference(finished.keptKeys).size === 0;
  console.log(`cores ${availableParallelism()}, finished jobs ${size}, old enough to go ${removed}`);
  console.log(
    `took ${seconds.toFixed(0)} s: ${(removed / seconds).toFixed(0)} jobs a second, with their results`,
  );
  console.log(`flowed meanwhile ${done.flowed} (${(done.flowed / seconds).toFixed(0)} a second)`);
  console.log(`adding 50 jobs took p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`);
  console.log(
    `deadlocks ${done.deadlocks}, lock timeouts ${done.lockTimeouts}, waits for a lock ${done.lockWaits}`,
  );
  console.log(`left as they should be: jobs ${jobsRight}, results ${resultsRight}, keys ${keysRight}`);
  console.log(`flowed and not succeeded ${done.notSucceeded}; full lists ${done.lists}`);
  for (const line of [...done.wrongLists.slice(0, 10), ...done.complaints.slice(0, 10)]) console.log(line);
  const isClean =
    done.deadlocks + done.lockTimeouts + done.notSucceeded === 0 &&
    done.wrongLists.length + done.complaints.length === 0;
  if (!isClean || !jobsRight || !resultsRight || !keysRight) process.exitCode = 1;
} finally {
  await redis.stop();
  await mysql.stop();
}
