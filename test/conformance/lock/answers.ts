import type { ClusterLock } from "../../../src/coordination/cluster-lock.ts";

/** Whether the lock's server is in reach. */
export function answers(lock: ClusterLock): Promise<boolean> {
  return lock.holder().then(
    () => true,
    () => false,
  );
}
