/** Who is master (G8): every step from a free lock to a lost mastership. */
import { describe, expect, test, vi } from "vitest";
import { ElasticJobError } from "../../../../src/core/errors.ts";
import type { Mastership } from "../../../../src/master/mastership.ts";
import { addressOf, electorRig, ME, TTL_MS } from "./elector-rig.ts";

/** What trust lasts from when a renewal began. */
const TRUST_MS = TTL_MS - 200;
const INTERVAL_MS = TTL_MS / 6;

async function elected() {
  const rig = await electorRig();
  await rig.elector.tick();
  expect(rig.role()).toBe("master");
  rig.calls();
  rig.logged.splice(0);
  return rig;
}

describe("a process that is not master", () => {
  test("takes a free lock, then advances the epoch, then says so", async () => {
    const { elector, calls, held, role, raw, clock } = await electorRig();
    await elector.tick();
    expect(role()).toBe("master");
    expect(calls()).toEqual(["holder", "readMastership", "acquire", "advanceEpoch", "publish"]);
    const { epoch, incarnation } = await raw.readMastership();
    expect({ epoch, incarnation }).toEqual({ epoch: clock.now(), incarnation: ME });
    expect(held.master).toEqual(addressOf(ME, epoch));
    const stopping = new AbortController();
    let isChanged = false;
    void elector.changed(stopping.signal).then(() => {
      isChanged = true;
    });
    await elector.tick();
    expect(calls()).toEqual(["renew", "readMaster"]);
    // What is so already is no change.
    expect(isChanged).toBe(false);
    stopping.abort();
  });

  test("begins an epoch after the last one, also when the database's clock is behind it", async () => {
    const { elector, raw, clock } = await electorRig();
    const last = clock.now() + 1_000_000;
    await raw.advanceEpoch(0, { epoch: last, incarnation: "another" });
    await elector.tick();
    expect((await raw.readMastership()).epoch).toBe(last + 1);
  });

  test("follows the holder of the lock, when it has said who it is", async () => {
    const { elector, held, role, calls, logged } = await electorRig();
    held.by = "a";
    await elector.tick();
    expect(role()).toBe("none");
    expect(logged).toEqual([]);
    held.master = addressOf("b");
    await elector.tick();
    expect(role()).toBe("none");
    held.master = addressOf("a");
    await elector.tick();
    expect(role()).toBe("follows a");
    expect(calls()).not.toContain("acquire");
  });

  test("gives up a lock that it holds without knowing, and takes it anew", async () => {
    const { elector, held, role, calls } = await electorRig();
    held.by = ME;
    await elector.tick();
    expect(calls().slice(0, 4)).toEqual(["holder", "readMastership", "release", "acquire"]);
    expect(role()).toBe("master");
  });

  test("does nothing with a lock that another was quicker to take", async () => {
    const { elector, held, role, calls } = await electorRig();
    held.before = (call) => {
      if (call === "acquire") held.by = "a";
    };
    await elector.tick();
    expect(role()).toBe("none");
    expect(calls()).toEqual(["holder", "readMastership", "acquire"]);
    expect(held.by).toBe("a");
  });

  test("is no master, and gives the lock back, when the epoch has moved since it looked", async () => {
    const { elector, held, role, electAnother } = await electorRig();
    held.before = (call) => {
      if (call === "acquire") void electAnother();
    };
    await elector.tick();
    expect(role()).toBe("none");
    expect(held.by).toBeNull();
  });

  test.each([
    [TRUST_MS - 1, "master"],
    [TRUST_MS, "none"],
  ])("whose epoch is written %d ms after it tried the lock is %s", async (ms, expected) => {
    const { elector, held, role, time, instead, raw } = await electorRig();
    instead.advanceEpoch = async (from, to) => {
      const isElected = await raw.advanceEpoch(from, to);
      time.now += ms;
      return isElected;
    };
    await elector.tick();
    expect(role()).toBe(expected);
    expect(held.by).toBe(expected === "master" ? ME : null);
  });

  test("that resigns while it is being elected is none", async () => {
    const { elector, held, role, instead, raw, calls } = await electorRig();
    instead.advanceEpoch = async (from, to) => {
      await elector.resign();
      return raw.advanceEpoch(from, to);
    };
    await elector.tick();
    expect(role()).toBe("none");
    expect(held.by).toBeNull();
    calls();
    await elector.tick();
    expect(calls()).toEqual(["holder"]);
  });

  test("that cannot load is none, and leaves the lock to others", async () => {
    const { elector, held, role, instead, logged } = await electorRig();
    instead.readClasses = () => Promise.reject(new Error("no answer"));
    await elector.tick();
    expect(role()).toBe("none");
    expect(held.by).toBeNull();
    expect(logged).toContain("warn: no longer master: could not load");
  });

  test("knows the database's time from its quickest answer", async () => {
    const { elector, instead, time, clock } = await electorRig();
    const delays = [200, 20, 100];
    instead.readClock = async () => {
      const half = (delays.shift() ?? 0) / 2;
      time.now += half;
      const reading = clock.now() + 5000;
      time.now += half;
      return reading;
    };
    await elector.tick();
    const now = elector.now();
    expect(now.kind === "master" && now.api.clusterTime()).toBe(clock.now() + 5000);
  });
});

describe("a master", () => {
  test("is trusted until its time from when the last confirmed renewal began", async () => {
    const { elector, time, held, isTrusted } = await elected();
    time.now += 1000;
    held.before = (call) => {
      // A slow reply extends nothing.
      if (call === "renew") time.now += 500;
    };
    await elector.tick();
    time.now += TRUST_MS - 501;
    expect(await isTrusted()).toBe(true);
    time.now += 1;
    expect(await isTrusted()).toBe(false);
  });

  test("goes on with a lock that was lost, when nobody was elected in between", async () => {
    const { elector, held, role, raw, calls } = await elected();
    const before = await raw.readMastership();
    held.by = null;
    held.master = null;
    await elector.tick();
    expect(role()).toBe("master");
    expect(calls()).toEqual(["renew", "acquire", "readMastership", "readMaster", "publish"]);
    expect(await raw.readMastership()).toEqual(before);
    expect(held.master).toEqual(addressOf(ME, before.epoch));
  });

  test("is over when another holds the lock", async () => {
    const { elector, held, role, logged } = await elected();
    held.by = "a";
    await elector.tick();
    expect(role()).toBe("none");
    expect(logged).toEqual(["warn: no longer master: another process holds the lock"]);
  });

  test.each(["epoch", "incarnation"] as const)(
    "is over when the lock was lost, and the %s in the database is another's",
    async (field) => {
      const { elector, held, role, raw, instead, logged } = await elected();
      const ours = await raw.readMastership();
      const theirs = field === "epoch" ? { epoch: ours.epoch + 1 } : { incarnation: "another" };
      instead.readMastership = async () => ({ ...ours, ...theirs });
      held.by = null;
      await elector.tick();
      expect(role()).toBe("none");
      expect(logged).toEqual(["warn: no longer master: another epoch has begun"]);
    },
  );

  test.each([
    [TRUST_MS - 1, false],
    [TRUST_MS, true],
  ])("that renews after %d ms looks for another epoch: %s", async (ms, isAsked) => {
    const { elector, time, calls, role, electAnother } = await elected();
    time.now += ms;
    if (isAsked) await electAnother();
    await elector.tick();
    expect(calls().includes("readMastership")).toBe(isAsked);
    expect(role()).toBe(isAsked ? "none" : "master");
  });

  test.each([
    ["nobody", null],
    ["another", addressOf("a")],
    ["an older self", addressOf(ME, 1)],
  ])("says anew who it is where %s is named", async (_, published) => {
    const { elector, held, raw } = await elected();
    held.master = published;
    await elector.tick();
    expect(held.master).toEqual(addressOf(ME, (await raw.readMastership()).epoch));
  });

  test("that may not say who it is is over", async () => {
    const { elector, held, role, logged } = await elected();
    held.master = null;
    held.before = (call) => {
      if (call === "publish") held.by = "a";
    };
    await elector.tick();
    expect(role()).toBe("none");
    expect(logged).toEqual(["warn: no longer master: the lock was lost"]);
  });

  test("stays one without word from the lock, complains once, and says when it hears from it again", async () => {
    const { elector, held, role, logged } = await elected();
    held.before = () => {
      throw new Error("no answer");
    };
    for (let count = 0; count < 3; count++) await elector.tick();
    expect(role()).toBe("master");
    held.before = () => {};
    for (let count = 0; count < 2; count++) await elector.tick();
    expect(logged).toEqual([
      "warn: no answer from the lock (REDIS_URL) or the database (MYSQL_URL); trying on",
      "info: the lock and the database answer again",
    ]);
  });

  test("follows nobody that is announced", async () => {
    const { elector, heard, role, time } = await electorRig();
    elector.start();
    await time.advance(0);
    heard(addressOf("a"));
    expect(role()).toBe("master");
    await elector.stop();
  });

  test("that resigns gives the lock back once, and stands for no election again", async () => {
    const { elector, held, role, calls, time } = await elected();
    const now = elector.now();
    const api = now.kind === "master" ? (now.api as Mastership) : expect.fail("no master");
    const quiesce = vi.spyOn(api, "quiesce");
    await elector.resign();
    expect(quiesce.mock.calls).toEqual([[250]]);
    expect(role()).toBe("none");
    expect(held.by).toBeNull();
    await elector.resign();
    expect(calls()).toEqual(["release"]);
    time.now += 10_000;
    await elector.tick();
    expect(calls()).toEqual(["holder"]);
    held.by = "a";
    held.master = addressOf("a");
    await elector.tick();
    expect(role()).toBe("follows a");
  });
});

test("a write that is refused after the mastership has ended ends no other", async () => {
  const { elector, instead, role } = await elected();
  const now = elector.now();
  instead.readJobs = async () => {
    await elector.resign();
    throw new ElasticJobError("stale_epoch", "another mastership has begun");
  };
  const reading = now.kind === "master" ? now.api.readJob(1) : expect.fail("no master");
  await expect(reading).rejects.toMatchObject({ code: "unavailable" });
  expect(role()).toBe("none");
});

describe("a process that runs", () => {
  test("looks at the lock six times a TTL, and at once when it was released", async () => {
    const { elector, held, heard, time, calls, role } = await electorRig();
    held.by = "a";
    elector.start();
    await time.advance(0);
    calls();
    await time.advance(INTERVAL_MS - 1);
    expect(calls()).toEqual([]);
    await time.advance(1);
    expect(calls()).toEqual(["holder", "readMaster"]);
    await time.advance(10);
    heard(null);
    held.by = null;
    await time.advance(0);
    expect(role()).toBe("master");
    await elector.stop();
    expect(role()).toBe("none");
    expect(held.by).toBeNull();
  });

  test("follows whom it hears of, and tells only of what changes", async () => {
    const { elector, held, heard, time, role } = await electorRig();
    held.by = "a";
    elector.start();
    await time.advance(0);
    let changes = 0;
    const stopping = new AbortController();
    const count = async () => {
      while (!stopping.signal.aborted) {
        await elector.changed(stopping.signal);
        if (!stopping.signal.aborted) changes++;
      }
    };
    void count();
    const told = async (...master: Parameters<typeof heard>) => {
      const before = changes;
      heard(...master);
      await time.advance(0);
      return changes - before;
    };
    expect(await told(addressOf(ME))).toBe(0);
    expect(role()).toBe("none");
    expect(await told(addressOf("a"))).toBe(1);
    expect(await told(addressOf("a"))).toBe(0);
    expect(await told(addressOf("a", 2))).toBe(1);
    expect(await told({ ...addressOf("a", 2), address: "elsewhere:7070" })).toBe(1);
    expect(await told({ ...addressOf("a", 2), incarnation: "b", address: "elsewhere:7070" })).toBe(1);
    expect(role()).toBe("follows b");
    stopping.abort();
    await elector.stop();
  });
});

describe("a master whose stream has ended", () => {
  const gone = addressOf("a");
  const self = { incarnation: "a", nodeId: "a", epoch: 1 };

  test.each([
    ["refuses twice, 20 ms apart", ["refused", "refused"], true, [0, 20]],
    ["is another process by now", [{ ...self, incarnation: "b" }], true, [0]],
    ["refuses, then is another process", ["refused", { ...self, incarnation: "b" }], true, [0, 20]],
    ["is there", [self], false, [0]],
    ["is silent", ["silent"], false, [0]],
    ["refuses, then is there", ["refused", self], false, [0, 20]],
  ] as const)("and that %s: its lock is broken or not", async (_, answers, isBroken, expected) => {
    const rig = await electorRig();
    rig.held.by = "a";
    rig.answers.push(...answers);
    const looked = rig.elector.masterIsGone(gone);
    await rig.time.advance(20);
    await looked;
    expect(rig.asked).toEqual(expected.map((at) => ({ at, timeoutMs: 500 })));
    expect(rig.held.by).toBe(isBroken ? null : "a");
    expect(rig.logged).toEqual(isBroken ? ["info: broke a dead master's lock"] : []);
  });

  test("is not asked for by itself, nor by a process that stops", async () => {
    const { elector, asked, answers } = await electorRig();
    answers.push("refused", "refused");
    await elector.masterIsGone(addressOf(ME));
    await elector.stop();
    await elector.masterIsGone(gone);
    expect(asked).toEqual([]);
  });

  test("and whose lock another has broken is no news", async () => {
    const { elector, held, answers, logged } = await electorRig();
    held.by = "c";
    answers.push({ ...self, incarnation: "b" });
    await elector.masterIsGone(gone);
    expect(held.by).toBe("c");
    expect(logged).toEqual([]);
  });
});
