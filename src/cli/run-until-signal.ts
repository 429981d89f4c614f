/**
 * Waits for Ctrl-C or SIGTERM, then stops in good order. A second one exits at once: what was running
 * is then LOST and runs again, as after a crash.
 */
export function runUntilSignal(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(signal === "SIGINT" ? 130 : 143);
      stopping = true;
      process.stderr.write("stopping; running jobs may finish (Ctrl-C again to exit at once)\n");
      stop().then(resolve, reject);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
