/** The JobStore on an SQLite file: durable, and of one process. */
import type { Clock } from "../core/clock.ts";
import { neverSilent } from "../core/readiness/silence.ts";
import { listAudit, pageOldAudit, skipAudit } from "./audit-query.ts";
import { type Read, SQLITE } from "./dialect.ts";
import { pageEnded, pageFreeKeys, pageResultAges, readClaimsOfGone } from "./expiry.ts";
import { countJobs, listJobs } from "./job-list-query.ts";
import type { JobStore } from "./job-store.ts";
import { newestLogged, readLog } from "./log-query.ts";
import {
  findNode,
  pageJobs,
  readClasses,
  readCluster,
  readFinalRows,
  readHandlers,
  readJobSet,
  readJobs,
  readMastership,
  readNodes,
  readSecret,
  readZoneVersions,
} from "./read-jobs.ts";
import { readKeyState } from "./read-keys.ts";
import { listResults } from "./result-list-query.ts";
import { deleteAudit, endAudit, writeAudit } from "./sqlite/audit-rows.ts";
import {
  addClass,
  advanceEpoch,
  announceReign,
  noteUnheard,
  offerZoneData,
  raiseIds,
  registerNode,
  reserveIds,
  setZonesComputed,
} from "./sqlite/cluster-rows.ts";
import { Database } from "./sqlite/database.ts";
import { deleteKeys, deleteResults, expireJobs } from "./sqlite/expire.ts";
import { forgetHandlers, noteHandlers } from "./sqlite/handler-rows.ts";
import { keepJobSet } from "./sqlite/job-set-rows.ts";
import { writeLog } from "./sqlite/log-rows.ts";
import { migrate } from "./sqlite/migrate.ts";
import {
  changeJob,
  claimJobs,
  deleteJob,
  freeKeys,
  insertJobs,
  keepKey,
  projectJobs,
} from "./sqlite/write-jobs.ts";
import { writeResults } from "./sqlite/write-results.ts";

export interface SqliteStoreSettings {
  /** The file; it is created if need be, its folder is not. */
  readonly path: string;
  /** It stands for the database's clock, as they are one machine's. */
  readonly clock: Clock;
}

/** The methods are `async` so that what they throw becomes a rejection. */
export function sqliteStore({ path, clock }: SqliteStoreSettings): JobStore {
  const database = new Database(path);
  const read: Read = async (sql, values) => database.read(sql, values);

  return {
    migrate: async () => migrate(database, clock),
    close: async () => database.close(),

    silence: neverSilent("SQLite"),
    probe: async () => {},

    readClock: async () => Math.trunc(clock.now()),
    readMastership: () => readMastership(read),
    readZoneVersions: () => readZoneVersions(read),
    offerZoneData: async (version) => offerZoneData(database, version),
    setZonesComputed: async (epoch, version) => setZonesComputed(database, epoch, version),
    advanceEpoch: async (from, to) => advanceEpoch(database, from, to),
    readCluster: () => readCluster(read),
    readSecret: () => readSecret(read),
    announceReign: async (epoch, reign) => announceReign(database, epoch, reign),

    raiseIds: (epoch) => raiseIds(database, epoch),
    reserveIds: async (epoch, count) => reserveIds(database, epoch, count),
    readClasses: () => readClasses(read),
    addClass: async (epoch, jobClass) => addClass(database, epoch, jobClass),
    readNodes: () => readNodes(read),
    registerNode: async (incarnation, nodeId) => registerNode(database, incarnation, nodeId),
    findNode: (incarnation) => findNode(read, incarnation),
    noteUnheard: async (epoch, notes) => noteUnheard(database, epoch, notes),
    readHandlers: () => readHandlers(read),
    noteHandlers: async (epoch, handlers) => noteHandlers(database, epoch, handlers),
    forgetHandlers: async (epoch, names, by) => forgetHandlers(database, epoch, names, by),

    readJobSet: (name) => readJobSet(read, name),
    keepJobSet: async (epoch, set) => keepJobSet(database, epoch, set),

    insertJobs: async (epoch, jobs, keys) => insertJobs(database, epoch, jobs, keys),
    async readKeys(epoch, keys, now) {
      const { taken, free } = await readKeyState(read, keys, now);
      if (free.length > 0) freeKeys(database, epoch, free);
      return taken;
    },
    freeKeys: async (epoch, keys) => freeKeys(database, epoch, keys),

    readJobs: (ids) => readJobs(read, ids),
    pageJobs: (query) => pageJobs(read, SQLITE, query),
    claimJobs: async (epoch, node, claims, now) => claimJobs(database, epoch, node, claims, now),

    writeResults: async (rows) => writeResults(database, null, rows),
    writeFinalRows: async (epoch, rows) => writeResults(database, epoch, rows),
    readFinalRows: (claims) => readFinalRows(read, SQLITE, claims),
    projectJobs: async (projections, epoch) => projectJobs(database, projections, epoch),

    changeJob: async (epoch, change) => changeJob(database, epoch, change),
    keepKey: async (epoch, key) => keepKey(database, epoch, key),
    deleteJob: async (epoch, jobId, guard) => deleteJob(database, epoch, jobId, guard),

    listJobs: (filter, page) => listJobs(read, SQLITE, filter, page),
    countJobs: (filter, limit) => countJobs(read, SQLITE, filter, limit),
    listResults: (filter, page) => listResults(read, SQLITE, filter, page),

    writeLog: async (logged) => writeLog(database, logged),
    readLog: (claim, after) => readLog(read, claim, after),
    newestLogged: (jobId) => newestLogged(read, jobId),

    writeAudit: async (records, epoch) => writeAudit(database, records, epoch),
    endAudit: async (key, end) => endAudit(database, key, end),
    listAudit: (filter, page) => listAudit(read, SQLITE, filter, page),

    pageEnded: (query) => pageEnded(read, SQLITE, query),
    expireJobs: async (epoch, expired) => expireJobs(database, epoch, expired),
    async expireResultsOfGone(epoch, jobIds, limit) {
      if (jobIds.length === 0) return 0;
      const claims = await readClaimsOfGone(read, jobIds, limit);
      deleteResults(database, epoch, claims, Number.MAX_SAFE_INTEGER);
      return claims.length;
    },
    pageResultAges: (after, limit) => pageResultAges(read, SQLITE, after, limit),
    expireResults: async (epoch, claims, endedBy) => deleteResults(database, epoch, claims, endedBy),
    async expireKeys(epoch, page) {
      const { free, next } = await pageFreeKeys(read, page);
      return { removed: deleteKeys(database, epoch, free), next };
    },
    skipAudit: (before, rows) => skipAudit(read, SQLITE, before, rows),
    expireAudit: async (epoch, through, limit) =>
      deleteAudit(database, epoch, await pageOldAudit(read, SQLITE, through, limit)),
  };
}
