import { expect, test } from "vitest";
import { keepClusterTime, sampleDatabaseClock } from "../../../src/master/cluster-clock.ts";
import type { JobStore } from "../../../src/store/job-store.ts";
import { NOW } from "../../fixtures/job-fixture.ts";
import { ManualClock } from "../../fixtures/manual-clock.ts";
import { masterContext } from "../../fixtures/master-context.ts";
import { until } from "../../fixtures/until.ts";

/** A database whose answers take so long, one after another; its clock is off by so much. */
function databaseOf(clock: ManualClock, takesMs: number[], offMs = () => 0): JobStore {
  const store: Pick<JobStore, "readClock"> = {
    readClock: async () => {
      const ms = takesMs.shift() ?? 0;
      clock.move(ms / 2);
      const reading = NOW + clock.monotonic() + offMs();
      clock.move(ms / 2);
      return reading;
    },
  };
  return store as JobStore;
}

test("of three readings the quickest counts: its round trip bounds the error", async () => {
  const clock = new ManualClock();
  const { reading, sentAt, receivedAt } = await sampleDatabaseClock(databaseOf(clock, [200, 10, 80]), clock);
  expect([reading - NOW, sentAt, receivedAt]).toEqual([205, 200, 210]);
});

async function follow(readClock: () => Promise<number>) {
  const [clock, end, lines] = [new ManualClock(), new AbortController(), [] as string[]];
  const note = (level: string) => (_: object, message: string) => void lines.push(`${level}: ${message}`);
  const logger = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
  const store: Pick<JobStore, "readClock"> = { readClock };
  const context = masterContext({ clock, logger, store: store as JobStore, ended: end.signal });
  const following = keepClusterTime(context);
  return {
    ...context,
    lines,
    async next() {
      await until("it waits", () => clock.isAwaited);
      clock.move(30_000);
      await until("it waits again", () => clock.isAwaited);
    },
    async stop() {
      end.abort();
      await following;
    },
  };
}

test("follows the database's clock every 30 s, without a jump", async () => {
  const { time, next, stop } = await follow(async () => NOW + 33_000);
  await next();
  expect([time.now() - NOW, time.error]).toEqual([30_000, 3_000]);
  await next();
  await stop();
});

test("says so when it was off by more than a minute", async () => {
  const { lines, next, stop } = await follow(async () => NOW + 30_000 - 60_001);
  await next();
  expect(lines).toEqual(["error: cluster time was off"]);
  await stop();
});

test("goes on after a reading that failed", async () => {
  let failing = true;
  const { lines, time, next, stop } = await follow(async () => {
    if (failing) throw new Error("no answer");
    return NOW + 60_000 + 500;
  });
  await next();
  failing = false;
  await next();
  expect(lines).toEqual([
    "warn: could not read the database's clock",
    "info: over: could not read the database's clock",
  ]);
  expect(time.error).toBe(500);
  await stop();
});
