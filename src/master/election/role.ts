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

/** This process's own role, and everybody who waits for its next change. */
export class OwnRole implements Role {
  private present: RoleNow = { kind: "none" };
  private nextChange = new AbortController();

  now(): RoleNow {
    return this.present;
  }

  changed(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([this.nextChange.signal, signal]);
    return new Promise((resolve) => {
      if (either.aborted) resolve();
      else either.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  set(role: RoleNow): void {
    if (isSameRole(this.present, role)) return;
    this.present = role;
    const change = this.nextChange;
    this.nextChange = new AbortController();
    change.abort();
  }
}

function isSameRole(one: RoleNow, other: RoleNow): boolean {
  if (one.kind === "master") return other.kind === "master" && one.epoch === other.epoch;
  if (one.kind === "none") return other.kind === "none";
  if (other.kind !== "follower") return false;
  const { incarnation, epoch, address } = one.master;
  const { master } = other;
  return incarnation === master.incarnation && epoch === master.epoch && address === master.address;
}
