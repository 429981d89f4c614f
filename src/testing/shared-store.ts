/** The database of a simulated cluster, as one process reaches it. */
import { neverSilent } from "../core/readiness/silence.ts";
import type { JobStore, ResultWrite } from "../store/job-store.ts";
import type { SharedServer } from "./shared-server.ts";
import type { Gate } from "./virtual-clock.ts";

const either = (first: boolean, second: boolean) => first || second;
const last = <T>(_: T, second: T) => second;

/** `raw`: the one store that all processes share. */
export function sharedStore(raw: JobStore, server: SharedServer, from: string, gate: Gate): JobStore {
  const read = <T>(work: () => Promise<T>) => server.call(from, gate, work);
  const write = <T>(work: () => Promise<T>, again: (first: T, second: T) => T) =>
    server.call(from, gate, work, again);

  return {
    migrate: () => read(() => raw.migrate()),
    // The processes share it.
    close: async () => {},
    silence: neverSilent("MySQL"),
    probe: async () => {},
    readClock: () => read(() => raw.readClock()),
    readMastership: () => read(() => raw.readMastership()),
    advanceEpoch: (previous, to) => write(() => raw.advanceEpoch(previous, to), either),
    readZoneVersions: () => read(() => raw.readZoneVersions()),
    offerZoneData: (version) => write(() => raw.offerZoneData(version), last),
    setZonesComputed: (epoch, version) => write(() => raw.setZonesComputed(epoch, version), last),
    raiseIds: (epoch) => write(() => raw.raiseIds(epoch), last),
    reserveIds: (epoch, count) => write(() => raw.reserveIds(epoch, count), last),
    readClasses: () => read(() => raw.readClasses()),
    addClass: (epoch, jobClass) => write(() => raw.addClass(epoch, jobClass), last),
    readNodes: () => read(() => raw.readNodes()),
    registerNode: (incarnation, nodeId) => write(() => raw.registerNode(incarnation, nodeId), last),
    findNode: (incarnation) => read(() => raw.findNode(incarnation)),
    noteUnheard: (epoch, notes) => write(() => raw.noteUnheard(epoch, notes), last),
    readHandlers: () => read(() => raw.readHandlers()),
    noteHandlers: (epoch, handlers) => write(() => raw.noteHandlers(epoch, handlers), last),
    forgetHandlers: (epoch, names, by) => write(() => raw.forgetHandlers(epoch, names, by), last),
    readJobSet: (name) => read(() => raw.readJobSet(name)),
    keepJobSet: (epoch, set) => write(() => raw.keepJobSet(epoch, set), last),
    readCluster: () => read(() => raw.readCluster()),
    readSecret: () => read(() => raw.readSecret()),
    announceReign: (epoch, reign) => write(() => raw.announceReign(epoch, reign), last),
    insertJobs: (epoch, jobs, keys) => write(() => raw.insertJobs(epoch, jobs, keys), last),
    readKeys: (epoch, keys, now) => read(() => raw.readKeys(epoch, keys, now)),
    freeKeys: (epoch, keys) => write(() => raw.freeKeys(epoch, keys), last),
    readJobs: (ids) => read(() => raw.readJobs(ids)),
    pageJobs: (query) => read(() => raw.pageJobs(query)),
    // The second one hits nothing: the caller has to read back.
    claimJobs: (epoch, node, claims, now) => write(() => raw.claimJobs(epoch, node, claims, now), last),
    writeResults: (rows) => write(() => raw.writeResults(rows), last<ResultWrite[]>),
    writeFinalRows: (epoch, rows) => write(() => raw.writeFinalRows(epoch, rows), last<ResultWrite[]>),
    readFinalRows: (claims) => read(() => raw.readFinalRows(claims)),
    projectJobs: (projections, epoch) => write(() => raw.projectJobs(projections, epoch), last<boolean[]>),
    changeJob: (epoch, change) => write(() => raw.changeJob(epoch, change), either),
    keepKey: (epoch, key) => write(() => raw.keepKey(epoch, key), last),
    deleteJob: (epoch, jobId, guard) => write(() => raw.deleteJob(epoch, jobId, guard), either),
    listJobs: (filter, page) => read(() => raw.listJobs(filter, page)),
    countJobs: (filter, limit) => read(() => raw.countJobs(filter, limit)),
    listResults: (filter, page) => read(() => raw.listResults(filter, page)),
    writeLog: (chunks) => write(() => raw.writeLog(chunks), last),
    readLog: (claim, after) => read(() => raw.readLog(claim, after)),
    newestLogged: (jobId) => read(() => raw.newestLogged(jobId)),
    writeAudit: (records, epoch) => write(() => raw.writeAudit(records, epoch), last),
    endAudit: (key, end) => write(() => raw.endAudit(key, end), last),
    listAudit: (filter, page) => read(() => raw.listAudit(filter, page)),
    pageEnded: (query) => read(() => raw.pageEnded(query)),
    expireJobs: (epoch, expired) => write(() => raw.expireJobs(epoch, expired), last),
    expireResultsOfGone: (epoch, jobIds, limit) =>
      write(() => raw.expireResultsOfGone(epoch, jobIds, limit), last),
    pageResultAges: (after, limit) => read(() => raw.pageResultAges(after, limit)),
    expireResults: (epoch, claims, endedBy) => write(() => raw.expireResults(epoch, claims, endedBy), last),
    expireKeys: (epoch, page) => write(() => raw.expireKeys(epoch, page), last),
    skipAudit: (before, rows) => read(() => raw.skipAudit(before, rows)),
    expireAudit: (epoch, through, limit) => write(() => raw.expireAudit(epoch, through, limit), last),
  };
}
