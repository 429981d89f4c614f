import type { ClusterLock } from "../../../src/coordination/cluster-lock.ts";
import { until } from "../../fixtures/until.ts";

/**
 * The subscription is opened in the background: waits until announcements come through, by causing some.
 */
export async function hearsAnnouncements(lock: ClusterLock): Promise<void> {
  let heard = 0;
  const stop = lock.onMaster(() => heard++);
  await until("a subscription", async () => {
    if (await lock.acquire("probe")) await lock.release("probe");
    return heard > 0;
  });
  stop();
}
