import type { AttackedCluster } from "./attacked-cluster.ts";

/** What somebody could try. */
export interface Attack {
  readonly name: string;
  /** Throws when it succeeds. */
  run(cluster: AttackedCluster): Promise<string>;
}
