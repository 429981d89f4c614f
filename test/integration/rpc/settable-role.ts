import type { Role, RoleNow } from "../../../src/master/election/role.ts";

/** A role that the test sets. */
export function settableRole(now: RoleNow): Role & { set(next: RoleNow): void } {
  let listeners: (() => void)[] = [];
  return {
    now: () => now,
    set(next) {
      now = next;
      const called = listeners;
      listeners = [];
      for (const listener of called) listener();
    },
    changed(signal) {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        listeners.push(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    },
  };
}
