/** BullMQ: completed jobs are removed, Redis with its append-only file, synced every second. */
import { Worker as BullWorker, Queue } from "bullmq";
import { Redis } from "ioredis";
import { type Adder, type Addresses, CONCURRENCY, type NewJob, type Worker } from "../contender.ts";

const QUEUE = "bench";
const OPTIONS = { removeOnComplete: true, removeOnFail: true };

export async function openAdder({ redis }: Addresses): Promise<Adder> {
  const connection = new Redis(redis, { maxRetriesPerRequest: null });
  const queue = new Queue<NewJob>(QUEUE, { connection });
  const optionsOf = ({ dueAt }: NewJob) =>
    dueAt === undefined ? OPTIONS : { ...OPTIONS, delay: Math.max(0, dueAt - Date.now()) };
  return {
    prepare: async () => void (await connection.flushall()),
    add: async (job) => void (await queue.add("job", job, optionsOf(job))),
    async addMany(jobs) {
      await queue.addBulk(jobs.map((data) => ({ name: "job", data, opts: optionsOf(data) })));
    },
    async unfinished() {
      const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized");
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    async close() {
      await queue.close();
      connection.disconnect();
    },
  };
}

export async function openWorker({ redis }: Addresses, started: (job: NewJob) => void): Promise<Worker> {
  const connection = new Redis(redis, { maxRetriesPerRequest: null });
  const worker = new BullWorker<NewJob>(QUEUE, async ({ data }) => started(data), {
    connection,
    concurrency: CONCURRENCY,
  });
  worker.on("error", (error) => console.error(error));
  return {
    async close() {
      await worker.close();
      connection.disconnect();
    },
  };
}
