// Preloaded into a node (NODE_OPTIONS=--import=…): other work in its process takes BURN_SHARE of all its cores.
import { availableParallelism } from "node:os";
import { isMainThread, Worker } from "node:worker_threads";

const SPIN = `
const busyMs = 100 * ${Number(process.env.BURN_SHARE ?? 0)};
const pause = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  for (const until = performance.now() + busyMs; performance.now() < until; );
  Atomics.wait(pause, 0, 0, 100 - busyMs);
}`;

if (isMainThread) {
  for (let core = 0; core < availableParallelism(); core++)
    new Worker(SPIN, { eval: true, execArgv: [], env: {} }).unref();
}
