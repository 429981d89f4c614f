/**
 * The client for those who import it and may never call it: a module of handlers asks `elastic-job` for
 * `defineJobs`, once in each thread, and the client's packages would take 16 MB in each. They are loaded
 * by the first call.
 */
import { type Contract, checkContract } from "../contract/contract.ts";
import { exactText, parseExact } from "../core/json/exact-numbers.ts";
import type { Adding } from "./adding.ts";
import type { ClientOptions, ElasticJobClient } from "./elastic-job-client.ts";
import type { Described } from "./handler-types.ts";

export function createClient<const D extends Described = Contract>(
  options: ClientOptions<D>,
): ElasticJobClient<D> {
  if (options.contract !== undefined) checkContract(options.contract, "createClient");
  return lazily(options as ClientOptions) as ElasticJobClient<D>;
}

function lazily(options: ClientOptions): ElasticJobClient {
  let client: ElasticJobClient | undefined;
  let loading: Promise<ElasticJobClient> | undefined;
  const load = async () => {
    loading ??= import("./client.ts").then((module) => module.createClient(options));
    client = await loading;
    return client;
  };

  /** What was given may be changed by the caller while the client is being loaded: it takes JSON, so a copy as JSON will do. */
  async function call<Given, T>(
    given: Given,
    make: (client: ElasticJobClient, given: Given) => Promise<T>,
  ): Promise<T> {
    if (client !== undefined) return make(client, given);
    const copy = parseExact(exactText(given) ?? "") as Given;
    return make(await load(), copy);
  }

  return {
    add(handler, payload, how) {
      // In braces: a promise that a promise gives is waited for, and would be what it adds.
      const started = call({ handler, payload, how }, async (to, given) => ({
        adding: to.add(given.handler, given.payload, given.how),
      }));
      const added = started.then(({ adding }) => adding);
      const result: Adding<unknown>["result"] = async (given) => {
        // What is wrong with the add, the result rejects with.
        added.catch(() => {});
        return (await started).adding.result(given);
      };
      return Object.assign(added, { result });
    },
    addJob: (job) => call(job, (to, given) => to.addJob(given)),
    addJobs: (jobs, how) => call(jobs, (to, given) => to.addJobs(given, how)),
    putJob: (key, job, how) => call({ key, job }, (to, given) => to.putJob(given.key, given.job, how)),
    updateJob: (update, how) => call(update, (to, given) => to.updateJob(given, how)),
    deleteJob: (jobId, how) => call(jobId, (to, given) => to.deleteJob(given, how)),
    pauseJob: (jobId, how) => call(jobId, (to, given) => to.pauseJob(given, how)),
    resumeJob: (jobId, how) => call(jobId, (to, given) => to.resumeJob(given, how)),
    triggerJob: (jobId, how) => call(jobId, (to, given) => to.triggerJob(given, how)),
    cancelJob: (jobId, how) => call(jobId, (to, given) => to.cancelJob(given, how)),
    retryJob: (jobId, how) => call(jobId, (to, given) => to.retryJob(given, how)),
    getJobStatus: (jobId, how) => call(jobId, (to, given) => to.getJobStatus(given, how)),
    getAllJobs: (query = {}, how) => call(query, (to, given) => to.getAllJobs(given, how)),
    async *eachJob(query, how) {
      yield* (await load()).eachJob(query, how);
    },
    getAllResult: (query = {}, how) => call(query, (to, given) => to.getAllResult(given, how)),
    async *eachResult(query, how) {
      yield* (await load()).eachResult(query, how);
    },
    previewSchedule: (schedule, how) => call(schedule, (to, given) => to.previewSchedule(given, how)),
    async *watchJob(jobId, how) {
      yield* (await load()).watchJob(jobId, how);
    },
    getJobLog: (query, how) => call(query, (to, given) => to.getJobLog(given, how)),
    async *eachLogLine(query, how) {
      yield* (await load()).eachLogLine(query, how);
    },
    async *watchJobLog(jobId, how) {
      yield* (await load()).watchJobLog(jobId, how);
    },
    getCluster: (how) => call(null, (to) => to.getCluster(how)),
    getHandlers: (query = {}, how) => call(query, (to, given) => to.getHandlers(given, how)),
    async *eachHandler(query, how) {
      yield* (await load()).eachHandler(query, how);
    },
    drainNode: (nodeId, how) => call(nodeId, (to, given) => to.drainNode(given, how)),
    undrainNode: (nodeId, how) => call(nodeId, (to, given) => to.undrainNode(given, how)),
    getAudit: (query = {}, how) => call(query, (to, given) => to.getAudit(given, how)),
    async *eachAuditRecord(query, how) {
      yield* (await load()).eachAuditRecord(query, how);
    },
  };
}
