import type { ClusterLock } from "../../../src/coordination/cluster-lock.ts";
import { until } from "../../fixtures/until.ts";

const PROBE = "probe";
const ROUND_MS = 200;

/**
 * Subscriptions are opened in the background: causes announcements until all of these locks have heard those of one
 * round, down to its last. So none is still on its way when a test begins to listen.
 */
export async function hearAnnouncements(locks: readonly ClusterLock[]): Promise<void> {
  const [prober] = locks;
  let round = 0;
  const heard = locks.map(() => 0);
  const stops = locks.map((lock, index) => {
    let begun = 0;
    return lock.onMaster((master) => {
      if (master !== null) begun = master.epoch;
      else heard[index] = begun;
    });
  });
  await until("subscriptions", async () => {
    round++;
    if (!(await prober?.acquire(PROBE))) return false;
    const master = { address: "10.0.0.9:1", nodeId: PROBE, incarnation: PROBE, epoch: round, cluster: "" };
    await prober?.publishMaster(master);
    await prober?.release(PROBE);
    return until("the round's announcements", () => heard.every((last) => last === round), ROUND_MS).then(
      () => true,
      () => false,
    );
  });
  for (const stop of stops) stop();
}
