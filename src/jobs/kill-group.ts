/** Ends a process and all that it has started, unless they have ended by themselves. */
export function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // Nothing of it runs any more.
  }
}
