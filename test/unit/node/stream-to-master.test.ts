import { expect, test } from "vitest";
import type { MasterAddress } from "../../../src/coordination/cluster-lock.ts";
import { HeardMaster } from "../../../src/node/heard-master.ts";
import { StreamToMaster } from "../../../src/node/stream-to-master.ts";
import { settled } from "../../../src/testing/settled.ts";
import { ManualClock } from "../../fixtures/manual-clock.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";

const MASTER: MasterAddress = {
  address: "a:7070",
  nodeId: "a",
  incarnation: "of a",
  epoch: 1,
  cluster: "c",
};

test("a stream is kept until its signal aborts, whether or not its end is heard of, and leaves no timer", async () => {
  const clock = new ManualClock();
  const lost: MasterAddress[] = [];
  let looks = 0;
  const stream = new StreamToMaster(
    {
      masters: {
        current: () => MASTER,
        changed: (signal) => {
          if (++looks > 2) throw new Error("it looks on");
          return new Promise((resolve) => {
            if (signal.aborted) resolve();
            else signal.addEventListener("abort", () => resolve());
          });
        },
        lost: (master) => lost.push(master),
        refused: () => {},
      },
      enter: async () => "cluster-1",
      // Its end comes later, as that of a socket does.
      network: { openStream: () => ({ send: () => {}, close: () => {} }), identify: async () => "silent" },
      heard: new HeardMaster(clock),
      clock,
      logger: silentLogger,
    },
    { freeSlots: () => 4, opened: () => {}, message: () => {} },
  );
  const stopping = new AbortController();
  const kept = stream.keep(stopping.signal);
  await settled();
  expect(stream.current?.master).toBe(MASTER);
  stopping.abort();
  await kept;
  expect([stream.current, lost, clock.isAwaited]).toEqual([null, [], false]);
});
