/** The JobStore on MySQL and MariaDB. */
import type { Clock } from "../core/clock.ts";
import { ElasticJobError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { listAudit, skipAudit } from "./audit-query.ts";
import { MYSQL, type Read } from "./dialect.ts";
import { pageEnded, pageResultAges } from "./expiry.ts";
import { countJobs, listJobs } from "./job-list-query.ts";
import type { JobStore } from "./job-store.ts";
import { endAudit, expireAudit, writeAudit } from "./mysql/audit-rows.ts";
import { changeJob, deleteJob, freeKeys, keepKey } from "./mysql/change-job.ts";
import { claimJobs } from "./mysql/claim-jobs.ts";
import {
  addClass,
  advanceEpoch,
  announceReign,
  noteUnheard,
  offerZoneData,
  probe,
  raiseIds,
  readClock,
  registerNode,
  reserveIds,
  setZonesComputed,
} from "./mysql/cluster-rows.ts";
import { ConnectionPool } from "./mysql/connection-pool.ts";
import { translate } from "./mysql/errors.ts";
import { deleteResults, expireJobs, expireKeys, expireResultsOfGone } from "./mysql/expire.ts";
import { forgetHandlers, noteHandlers } from "./mysql/handler-rows.ts";
import { insertJobs } from "./mysql/insert-jobs.ts";
import { keepJobSet } from "./mysql/job-set-rows.ts";
import { migrate } from "./mysql/migrate.ts";
import { projectJobs } from "./mysql/project-jobs.ts";
import { repeatOn } from "./mysql/repeat.ts";
import { writeResults } from "./mysql/write-results.ts";
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

export interface MysqlStoreSettings {
  /** As `parseMysqlUrl` has it. */
  readonly url: string;
  readonly clock: Clock;
  /** Connections at most; default 10. */
  readonly connections?: number;
  /** A statement that takes longer counts as a cut connection; default 5,000. */
  readonly statementLimitMs?: number;
  /** Hears of tables that the server refuses, and that it does no more. */
  readonly logger?: Logger;
}

/** What a server takes at least by default; `migrate` asks for the real limit. */
const SMALLEST_PACKET = 16 * 1024 * 1024;

export function mysqlStore(settings: MysqlStoreSettings): JobStore {
  const { clock } = settings;
  const pool = new ConnectionPool({
    url: settings.url,
    clock,
    connections: settings.connections ?? 10,
    statementLimitMs: settings.statementLimitMs ?? 5_000,
    logger: settings.logger ?? null,
  });
  const repeat = repeatOn(pool, clock);
  const read: Read = (sql, values) => repeat((session) => session.read(sql, values));
  let largestPacket = SMALLEST_PACKET;

  return {
    async migrate() {
      try {
        // It is not repeated: whoever starts the node waits for a database that is not there yet.
        await pool.use(async (session) => {
          await migrate(session, pool, clock);
          const [row] = await session.read<{ bytes: number }>("SELECT @@max_allowed_packet AS bytes", []);
          largestPacket = row?.bytes ?? SMALLEST_PACKET;
        });
      } catch (error) {
        throw translate(error);
      }
    },
    close: () => pool.close(),

    silence: () => pool.answers.silence(),
    // Once: whoever waits for it to answer again asks again.
    probe: () => pool.use(probe).catch(() => {}),

    readClock: () => repeat(readClock),
    readMastership: () => readMastership(read),
    readZoneVersions: () => readZoneVersions(read),
    offerZoneData: (version) => repeat((session) => offerZoneData(session, version)),
    setZonesComputed: (epoch, version) => repeat((session) => setZonesComputed(session, epoch, version)),
    advanceEpoch: (from, to) => repeat((session) => advanceEpoch(session, from, to)),
    readCluster: () => readCluster(read),
    readSecret: () => readSecret(read),
    announceReign: (epoch, reign) => repeat((session) => announceReign(session, epoch, reign)),

    raiseIds: (epoch) => repeat((session) => raiseIds(session, epoch)),
    reserveIds: (epoch, count) => repeat((session) => reserveIds(session, epoch, count)),
    readClasses: () => readClasses(read),
    addClass: (epoch, jobClass) => repeat((session) => addClass(session, epoch, jobClass)),
    readNodes: () => readNodes(read),
    registerNode: (incarnation, nodeId) => repeat((session) => registerNode(session, incarnation, nodeId)),
    findNode: (incarnation) => findNode(read, incarnation),
    noteUnheard: (epoch, notes) => repeat((session) => noteUnheard(session, epoch, notes)),
    readHandlers: () => readHandlers(read),
    noteHandlers: (epoch, handlers) => repeat((session) => noteHandlers(session, epoch, handlers)),
    forgetHandlers: (epoch, names, by) => repeat((session) => forgetHandlers(session, epoch, names, by)),

    readJobSet: (name) => readJobSet(read, name),
    keepJobSet: (epoch, set) => repeat((session) => keepJobSet(session, epoch, set)),

    insertJobs: (epoch, jobs, keys) =>
      repeat((session) => insertJobs(session, epoch, jobs, keys, largestPacket)),
    async readKeys(epoch, keys, now) {
      const { taken, free } = await readKeyState(read, keys, now);
      if (free.length > 0) await repeat((session) => freeKeys(session, epoch, free));
      return taken;
    },
    freeKeys: (epoch, keys) => repeat((session) => freeKeys(session, epoch, keys)),

    readJobs: (ids) => readJobs(read, ids),
    pageJobs: (query) => pageJobs(read, MYSQL, query),
    claimJobs: (epoch, node, claims, now) =>
      repeat((session) => claimJobs(session, epoch, node, claims, now)),

    writeResults: (rows) => repeat((session) => writeResults(session, 0, rows)),
    writeFinalRows(epoch, rows) {
      if (epoch <= 0) throw new ElasticJobError("internal", `epoch ${epoch} is no mastership's`);
      return repeat((session) => writeResults(session, epoch, rows));
    },
    readFinalRows: (claims) => readFinalRows(read, MYSQL, claims),
    projectJobs: (projections, epoch) => repeat((session) => projectJobs(session, projections, epoch)),

    changeJob: (epoch, change) =>
      repeat((session, uncertain) => changeJob(session, uncertain, epoch, change)),
    keepKey: (epoch, key) => repeat((session) => keepKey(session, epoch, key)),
    deleteJob: (epoch, jobId, guard) =>
      repeat((session, uncertain) => deleteJob(session, uncertain, epoch, jobId, guard)),

    listJobs: (filter, page) => listJobs(read, MYSQL, filter, page),
    countJobs: (filter, limit) => countJobs(read, MYSQL, filter, limit),
    listResults: (filter, page) => listResults(read, MYSQL, filter, page),

    writeAudit: (records, epoch) => repeat((session) => writeAudit(session, records, epoch)),
    endAudit: (key, end) => repeat((session) => endAudit(session, key, end)),
    listAudit: (filter, page) => listAudit(read, MYSQL, filter, page),

    pageEnded: (query) => pageEnded(read, MYSQL, query),
    expireJobs: (epoch, expired) => repeat((session) => expireJobs(session, epoch, expired)),
    expireResultsOfGone: (epoch, jobIds, limit) =>
      repeat((session) => expireResultsOfGone(session, epoch, jobIds, limit)),
    pageResultAges: (after, limit) => pageResultAges(read, MYSQL, after, limit),
    expireResults: (epoch, claims, endedBy) =>
      repeat((session) => deleteResults(session, epoch, claims, endedBy)),
    expireKeys: (epoch, page) => repeat((session) => expireKeys(session, epoch, page)),
    skipAudit: (before, rows) => skipAudit(read, MYSQL, before, rows),
    expireAudit: (epoch, through, limit) => repeat((session) => expireAudit(session, epoch, through, limit)),
  };
}
