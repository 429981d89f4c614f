/** Our client, as it comes: the batching is its own. */
import { createClient } from "../../src/client/client.ts";
import { createHttp2Transport } from "../../src/client/http2.ts";
import type { AddJobInput } from "../../src/client/job-json.ts";
import type { Adder, Addresses, NewJob } from "../contender.ts";

export async function openAdder({ node, secure }: Addresses): Promise<Adder> {
  const transport = createHttp2Transport(node, secure === undefined ? {} : { tls: { ca: secure.ca } });
  const token = secure === undefined ? {} : { token: secure.token };
  const client = createClient({ transport, timeoutMs: 60_000, ...token });
  return {
    prepare: async () => {},
    add: async (job) => void (await client.addJob(inputOf(job))),
    async addMany(jobs) {
      for (const outcome of await client.addJobs(jobs.map(inputOf)))
        if ("error" in outcome) throw outcome.error;
    },
    async unfinished() {
      const { waiting, prepared, running } = await client.getCluster();
      return waiting + prepared + running;
    },
    close: async () => {},
  };
}

function inputOf({ dueAt, stamp }: NewJob): AddJobInput {
  const timed = dueAt === undefined ? {} : { timed: { runAt: new Date(dueAt).toISOString() } };
  if (stamp !== undefined) return { handler: "stamp", payload: { stamp }, ...timed };
  return { handler: "noop", payload: { n: 1 }, ...timed };
}
