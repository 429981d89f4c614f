import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import type { ExecutionEnd } from "../../../src/node/executors.ts";
import type { ThreadPoolOptions } from "../../../src/node/thread-pool.ts";
import { recordingLogger } from "../../fixtures/recording-logger.ts";
import { type PoolRig, startRig } from "./pool-rig.ts";

const HANDED_BACK = { kind: "lost", isBlameless: true };
const BLAMED = { kind: "lost", isBlameless: false };

const SOON_BLOCKED = { limits: { maxBlockedMs: 1200 } };
/** However late a thread turns on a busy machine, it does not count as blocked. */
const NEVER_BLOCKED = { blockedMs: 60_000 };

let rig: PoolRig;
async function start(options: Partial<ThreadPoolOptions> = {}): Promise<PoolRig> {
  rig = await startRig(options);
  return rig;
}
afterEach(() => rig.stop());

describe("a thread that does well", () => {
  test("runs many asynchronous handlers at a time", async () => {
    const { run } = await start();
    const runs = Array.from({ length: 500 }, () => run("meet", { payload: "500" }));
    const ends = await Promise.all(runs.map(({ end }) => end));
    expect(new Set(ends.map((end) => JSON.stringify(end))).size).toBe(1);
  });

  test("shares the jobs with the others", async () => {
    const { run } = await start({ threads: 2 });
    const ends = await Promise.all(Array.from({ length: 20 }, () => run("brief").end));
    expect(new Set(ends.map((end) => JSON.stringify(end))).size).toBe(2);
  });

  test("survives a handler that is unknown, or returns what JSON cannot carry", async () => {
    const { run } = await start();
    expect(await run("unheard").end).toMatchObject({
      kind: "failed",
      error: { message: 'this node has no handler "unheard", and no runJob' },
    });
    expect(await run("constructor").end).toMatchObject({ kind: "failed", isPermanent: false });
    expect(await run("bad").end).toMatchObject({ kind: "failed", isPermanent: true });
    expect(await run("where").end).toMatchObject({ kind: "succeeded" });
  });
});

describe("a handler that blocks its thread", () => {
  test("is timed out, what was answered before is kept, and its neighbours are handed back", async () => {
    const { run, begin, told } = await start();
    const neighbour = await begin("hold");
    const answered = run("where");
    const blocker = run("block", { timeoutMs: 800 });
    await told("begun", blocker);
    const notBegun = run("where");
    expect(await blocker.end).toEqual({ kind: "timed_out" });
    expect(await answered.end).toMatchObject({ kind: "succeeded" });
    expect(await neighbour.end).toMatchObject({ ...HANDED_BACK, reason: "another job has ended its thread" });
    expect(await notBegun.end).toMatchObject(HANDED_BACK);
    expect(await run("where").end).toMatchObject({ kind: "succeeded" });
  });

  test("does not hold up another thread", async () => {
    const { begin, run } = await start({ threads: 2 });
    const blocker = await begin("block", { timeoutMs: 900 });
    for (let count = 0; count < 3; count++) {
      expect(await run("where", { timeoutMs: 800 }).end).toMatchObject({ kind: "succeeded" });
    }
    expect(await blocker.end).toEqual({ kind: "timed_out" });
  });

  test("is killed without a time limit too, and it alone is blamed", async () => {
    const { begin } = await start(SOON_BLOCKED);
    const neighbour = await begin("hold");
    const blocker = await begin("block");
    expect(await blocker.end).toEqual({ ...BLAMED, reason: "the handler blocked its thread" });
    expect(await neighbour.end).toMatchObject(HANDED_BACK);
  });

  test("after an await can't be told from its neighbours, but from what had not begun", async () => {
    const { begin, run } = await start(SOON_BLOCKED);
    const neighbour = await begin("hold");
    const blocker = await begin("blockLater");
    const notBegun = run("where");
    expect(await blocker.end).toMatchObject(BLAMED);
    expect(await neighbour.end).toMatchObject(BLAMED);
    expect(await notBegun.end).toMatchObject(HANDED_BACK);
  });

  test("is blamed for the neighbour whose time it took", async () => {
    const { begin } = await start(SOON_BLOCKED);
    const victim = await begin("hold", { timeoutMs: 800 });
    const blocker = await begin("block");
    expect(await blocker.end).toMatchObject(BLAMED);
    expect(await victim.end).toMatchObject(HANDED_BACK);
  });

  test("at its abort is timed out", async () => {
    const { begin } = await start();
    const neighbour = await begin("hold");
    const blocker = await begin("abortThenBlock", { timeoutMs: 50 });
    expect(await blocker.end).toEqual({ kind: "timed_out" });
    expect(await neighbour.end).toMatchObject(HANDED_BACK);
  });

  test("for a while only is too late all the same, and keeps its thread", async () => {
    const { run } = await start({ limits: { timeoutGraceMs: 5000, maxBlockedMs: 5000 } });
    const before = await run("where").end;
    expect(await run("blockFor", { timeoutMs: 100, payload: '{"ms":400}' }).end).toEqual({
      kind: "timed_out",
    });
    expect(await run("where").end).toEqual(before);
  });

  test("runs alone from then on", async () => {
    const { begin } = await start();
    const blocker = await begin("block", { timeoutMs: 700 });
    await blocker.end;
    const neighbour = await begin("hold");
    const again = await begin("block", { jobId: blocker.jobId, timeoutMs: 100 });
    expect(await again.end).toEqual({ kind: "timed_out" });
    neighbour.abort("enough", 5000);
    expect(await neighbour.end).toMatchObject({ kind: "failed", error: { name: "AbortError" } });
  });
});

describe("a handler that ignores its abort", () => {
  test("ends only when its thread is gone, and lets its neighbours end before", async () => {
    const { begin, run, heard } = await start({ limits: { ...NEVER_BLOCKED, retireMs: 15_000 } });
    const neighbour = await begin("hold");
    const zombie = await begin("zombie", { timeoutMs: 50 });
    // It is served by another thread by now, or soon.
    expect(await run("where").end).toMatchObject({ kind: "succeeded" });
    neighbour.abort("enough", 10_000);
    expect(await neighbour.end).toMatchObject({ kind: "failed" });
    expect(await zombie.end).toEqual({ kind: "timed_out" });
    const alive = heard.filter(({ what }) => what === "alive").length;
    expect(alive).toBeGreaterThan(0);
    await run("where").end;
    await run("brief").end;
    expect(heard.filter(({ what }) => what === "alive").length - alive).toBeLessThanOrEqual(1);
  });

  test("takes neighbours that do not end with it, without blame", async () => {
    const { begin } = await start();
    const neighbour = await begin("hold");
    const zombie = await begin("zombie", { timeoutMs: 50 });
    expect(await zombie.end).toEqual({ kind: "timed_out" });
    expect(await neighbour.end).toMatchObject(HANDED_BACK);
  });

  test("loses its thread within the grace when everything was given up", async () => {
    const { begin } = await start({ limits: { ...NEVER_BLOCKED, retireMs: 15_000 } });
    const zombies = [await begin("zombie"), await begin("zombie"), await begin("hold")];
    const since = performance.now();
    for (const zombie of zombies) zombie.abort("its node lost touch with the master", 200);
    const [first, second, tame] = await Promise.all(zombies.map(({ end }) => end));
    expect(performance.now() - since).toBeLessThan(2000);
    expect(first).toMatchObject({ ...BLAMED, reason: "the handler ignored its abort" });
    expect(second).toMatchObject(BLAMED);
    expect(tame).toMatchObject({ kind: "failed" });
  });

  test("cannot make more and more threads", async () => {
    const { begin, run, told } = await start({ limits: { ...NEVER_BLOCKED, retireMs: 60_000 } });
    const zombies = [];
    for (let count = 0; count < 3; count++) {
      await begin("hold");
      const zombie = await begin("zombie", { timeoutMs: 20 });
      zombies.push(zombie);
      const { threadId } = await told("begun", zombie);
      // Its thread is out of service once another one answers.
      const isReplaced = async () => {
        const end = await run("where").end;
        return end.kind === "succeeded" && end.output !== String(threadId);
      };
      while (!(await isReplaced()));
    }
    const [first, second] = zombies;
    expect(await first?.end).toEqual({ kind: "timed_out" });
    expect(await second?.end).toEqual({ kind: "timed_out" });
  });
});

describe("a handler that ends its thread", () => {
  test.each([
    ["uncaught", "RangeError", "thrown by a timer"],
    ["unhandled", "TypeError", "nobody waits for this"],
    ["emitter", "Error", "an event without a listener"],
    ["exit", "Error", "process.exit(3) was called in a handler; return or throw instead"],
  ])("%s: has failed, with its error, and its neighbours are handed back", async (handler, name, message) => {
    const { begin, run } = await start();
    const neighbour = await begin("hold");
    const culprit = run(handler);
    expect(await culprit.end).toMatchObject({ kind: "failed", isPermanent: false, error: { name, message } });
    expect(await neighbour.end).toEqual({ ...HANDED_BACK, reason: "another job has ended its thread" });
    expect(await run("where").end).toMatchObject({ kind: "succeeded" });
  });

  test("by what listens to its abort has timed out", async () => {
    const { begin } = await start();
    const culprit = await begin("badListener", { timeoutMs: 30 });
    expect(await culprit.end).toEqual({ kind: "timed_out" });
  });

  test("after it has ended itself harms only what runs then, without blame", async () => {
    const { begin, run } = await start();
    const neighbour = await begin("hold");
    expect(await run("endsThenThrows").end).toMatchObject({ kind: "succeeded" });
    expect(await neighbour.end).toMatchObject(HANDED_BACK);
  });

  test("runs alone from then on", async () => {
    const { begin, run } = await start();
    const culprit = run("exit");
    await culprit.end;
    const neighbour = await begin("hold");
    expect(await run("exit", { jobId: culprit.jobId }).end).toMatchObject({ kind: "failed" });
    neighbour.abort("enough", 5000);
    expect(await neighbour.end).toMatchObject({ kind: "failed", error: { name: "AbortError" } });
  });
});

describe("a job that runs alone", () => {
  test("has a thread of its own, which ends with it", async () => {
    const { begin, run, told } = await start();
    const other = await begin("hold");
    const alone = await begin("brief", { alone: true });
    const { threadId } = await told("begun", alone);
    expect((await told("begun", other)).threadId).not.toBe(threadId);
    await alone.end;
    expect(await run("where").end).not.toEqual({ kind: "succeeded", output: String(threadId) });
  });

  test("waits for its turn when there are enough of them", async () => {
    const { run, heard } = await start({ threads: 2 });
    const ends = await Promise.all(Array.from({ length: 7 }, () => run("brief", { alone: true }).end));
    for (const end of ends) expect(end).toMatchObject({ kind: "succeeded" });
    expect(Math.max(...heard.map(({ inside }) => inside))).toBe(1);
    let now = 0;
    let most = 0;
    for (const { what } of heard) {
      now += what === "begun" ? 1 : -1;
      most = Math.max(most, now);
    }
    expect(most).toBeLessThanOrEqual(2);
  });

  test("is killed when it blocks, also without a time limit", async () => {
    const { run } = await start(SOON_BLOCKED);
    expect(await run("blockLater", { alone: true }).end).toEqual({
      ...BLAMED,
      reason: "the handler blocked its thread",
    });
  });

  test("is killed when it ignores its abort", async () => {
    const { begin } = await start({ limits: { retireMs: 15_000 } });
    const zombie = await begin("zombie", { alone: true, timeoutMs: 50 });
    expect(await zombie.end).toEqual({ kind: "timed_out" });
  });

  test("can be given up before it has its thread", async () => {
    const { run } = await start();
    const waiting = run("hold", { alone: true });
    waiting.abort("enough", 100);
    expect(await waiting.end).toEqual({ ...HANDED_BACK, reason: "enough" });
    expect(await run("where", { alone: true }).end).toMatchObject({ kind: "succeeded" });
  });

  test("has its whole time, however long it waited", async () => {
    const { run } = await start();
    const end = await run("deadline", { alone: true, timeoutMs: 1000, deadline: 5000 }).end;
    const { deadline } = JSON.parse(end.kind === "succeeded" ? (end.output ?? "") : "{}");
    expect(deadline).toBeGreaterThan(5000);
  });
});

describe("a line about a thread", () => {
  const of = { claim: 3, attempt: 2, name: "a name" };

  test.each([
    ["uncaught", {}, "a thread for handlers has died of an uncaught error"],
    ["exit", {}, "a thread for handlers has died of process.exit"],
    ["block", SOON_BLOCKED, "a thread for handlers is blocked; replacing it"],
  ])("names the job that is to blame: %s", async (handler, options, message) => {
    const logger = recordingLogger();
    const { begin } = await start({ ...options, logger });
    await begin("hold");
    const culprit = await begin(handler, of);
    await culprit.end;
    expect(logger.lines).toMatchObject([{ message, fields: { ...of, jobId: culprit.jobId, handler } }]);
  });

  test("names the job that ignores its abort", async () => {
    const logger = recordingLogger();
    const { begin } = await start({ logger, limits: NEVER_BLOCKED });
    const zombie = await begin("zombie", { ...of, timeoutMs: 50 });
    await zombie.end;
    const message = "a handler ignores its abort; replacing its thread";
    const fields = { ...of, jobId: zombie.jobId, handler: "zombie" };
    expect(logger.lines).toEqual([{ level: "warn", message, fields }]);
  });

  test("names all that ran where nobody knows who is to blame, and not too many", async () => {
    const logger = recordingLogger();
    const { begin } = await start({ ...SOON_BLOCKED, logger });
    const neighbours = await Promise.all(Array.from({ length: 19 }, () => begin("hold")));
    await (await begin("blockLater", of)).end;
    const [line] = logger.lines;
    expect(line?.message).toBe("a thread for handlers is blocked; replacing it");
    expect(line?.fields).toEqual({
      running: 20,
      jobs: neighbours
        .slice(0, 10)
        .map(({ jobId }) => ({ jobId, name: "hold", handler: "hold", claim: 1, attempt: 1 })),
    });
  });

  test("names the job whose thread ran out of memory", async () => {
    const script = fileURLToPath(new URL("./handlers/out-of-memory.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--max-old-space-size=64", script]);
    expect(JSON.parse(stdout)).toEqual({
      message: "a thread for handlers has died",
      error: expect.stringContaining("memory"),
      jobId: 7,
      claim: 3,
      attempt: 2,
      name: "hoarder",
      handler: "hoard",
    });
  });
});

test("what runs when the pool stops is handed back, and what comes later too", async () => {
  const { begin, run, pool } = await start({ threads: 2 });
  const runs = [await begin("hold"), await begin("zombie"), run("hold", { alone: true })];
  await pool.stop();
  runs.push(run("where"), run("where", { alone: true }));
  for (const { end } of runs) expect(await end).toEqual({ ...HANDED_BACK, reason: "the node has stopped" });
});

test("what begins when a thread has just ended goes to another", async () => {
  const { run, pool } = await start();
  // As the runner does: what waits for a slot begins as soon as another has ended.
  let next: Promise<ExecutionEnd> | undefined;
  const times = { attempt: 1, scheduledAt: 0, timeoutMs: null, deadline: null, alone: false };
  const ended = new Promise<void>((resolve) => {
    pool.run({ jobId: 98, claim: 1, name: "exit", handler: "exit", payload: null, ...times }, () => {
      next = run("where").end;
      resolve();
    });
  });
  await ended;
  expect(await next).toMatchObject({ kind: "succeeded" });
});

test("what a thread answered before it was killed counts, though the node had not come to it yet", async () => {
  const { begin, run, pool } = await start();
  const zombie = await begin("zombie");
  const answered = run("where");
  // Executions are posted when the node's turn has done its microtasks.
  await Promise.resolve();
  const until = performance.now() + 300;
  while (performance.now() < until);
  await pool.stop();
  expect(await answered.end).toMatchObject({ kind: "succeeded" });
  expect(await zombie.end).toMatchObject(HANDED_BACK);
});

test("100,000 executions leave nothing behind", { timeout: 120_000 }, async () => {
  const { run } = await start({ threads: 2 });
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const census = () => run("census", { timeoutMs: 60_000 }).end;
  await run("where").end;
  const before = { timers: timers(), census: await census() };
  const inFlight = 500;
  for (let count = 0; count < 100_000; count += inFlight) {
    await new Promise<void>((resolve) => {
      let left = inFlight;
      for (let index = 0; index < inFlight; index++) {
        const execution = {
          jobId: count + index,
          claim: 1,
          attempt: 1,
          name: "n",
          handler: "where",
          payload: null,
          scheduledAt: 0,
          timeoutMs: 60_000,
          deadline: 60_000,
          alone: false,
        };
        rig.pool.run(execution, () => {
          if (--left === 0) resolve();
        });
      }
    });
  }
  expect(await census()).toEqual(before.census);
  // The rig's own time limits come and go.
  expect(timers() - before.timers).toBeLessThan(10);
});
