/** Run as a process of its own, with a small heap: a job takes all the memory of its thread. Prints what is logged. */
import { startThreadPool } from "../../../../src/node/thread-pool.ts";
import { systemClock } from "../../../../src/system-clock.ts";
import { silentLogger } from "../../../fixtures/silent-logger.ts";

const pool = await startThreadPool({
  threads: 1,
  handlersUrl: new URL("./trouble.ts", import.meta.url).href,
  env: {},
  clock: systemClock,
  logger: {
    ...silentLogger,
    error: ({ error, ...fields }: { error?: unknown }, message) =>
      console.log(JSON.stringify({ message, error: String(error), ...fields })),
  },
});
const job = { payload: null, scheduledAt: 0, timeoutMs: null, deadline: null, alone: false };
pool.run({ ...job, jobId: 7, claim: 3, attempt: 2, name: "hoarder", handler: "hoard" }, () => {
  void pool.stop();
});
