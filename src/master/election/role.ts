import type { MasterAddress } from "../../coordination/cluster-lock.ts";
import type { JobApi } from "../job-api.ts";

/** What this process is in the cluster at a moment. */
export type RoleNow =
  /** It holds a trusted mastership, and its state is loaded. */
  | { readonly kind: "master"; readonly api: JobApi; readonly epoch: number }
  /** Another process is master, as far as is known. */
  | { readonly kind: "follower"; readonly master: MasterAddress }
  /** Nobody is known to be master (during a failover, or while Redis is out of reach). */
  | { readonly kind: "none" };

/** Whom to ask: the rpc layer looks here for each call, and waits here during a failover. */
export interface Role {
  now(): RoleNow;
  /** Resolves at the next change, or when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void>;
}
