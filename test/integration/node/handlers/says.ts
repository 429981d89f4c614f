/** Handlers that say what they do. */
import { setTimeout as wait } from "node:timers/promises";
import { defineJobs } from "../../../../src/index.ts";

let lingered = Promise.resolve();

function block(): void {
  const until = Date.now() + 60_000;
  while (Date.now() < until);
}

export default defineJobs({
  says: (job, { log }) => {
    log("begun", { payload: job.payload });
    log.error("ended");
    return "output";
  },
  throws: (_, { log }) => {
    log("about to throw");
    throw new Error("thrown");
  },
  blocks: (_, { log }) => {
    for (let line = 1; line <= 3; line++) log(`line ${line}`);
    block();
  },
  floods: (_, { log }) => {
    for (let line = 1; line <= 100_000; line++) log(`line ${line}`);
    return "output";
  },
  exits: (_, { log }) => {
    for (let line = 1; line <= 100; line++) log(`line ${line}`);
    process.exit(1);
  },
  prints: async (job) => {
    console.log("%s prints", job.payload);
    await wait(1);
    console.error(new Error("printed"));
    await Promise.resolve();
    process.stdout.write("half a line");
  },
  lingered: () => lingered,
  progresses: async (_, { progress }) => {
    progress(0.1, "first");
    for (let percent = 20; percent <= 90; percent++) progress(percent / 100);
    await wait(600);
    progress(1, "x".repeat(10_000));
  },
  wrong: (job, { progress }) => progress(job.payload),
  silent: () => "nothing",
  leaks: (job, { log }) => {
    log(`key ${job.payload.key} and ${job.payload.own}`);
    console.log(`prints ${job.payload.key} and ${job.payload.own}`);
  },
  lingers: (_, { log }) => {
    lingered = wait(20).then(() => {
      log("too late");
      console.log("too late");
    });
  },
});
