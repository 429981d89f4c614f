/**
 * What becomes of a process whose output nobody takes any more: `list | head` has done its work, while a node that
 * served on behind `| head`, or whose terminal or log collector is gone, must not end for that.
 */
import { writeSync } from "node:fs";

/** For a command that prints and ends. */
export function endWithOutput(): void {
  process.stdout.on("error", endAtOnce);
  process.stderr.on("error", ignore);
}

/** For a process that serves, from now on: it says once, on stderr, that what is printed is lost. */
export function outliveOutput(): void {
  process.stdout.off("error", endAtOnce);
  process.stdout.once("error", (error) => {
    process.stdout.on("error", ignore);
    warn(`stdout is lost (${error.message}); serving on, and what is printed goes nowhere\n`);
  });
}

function endAtOnce(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  warn(`error: could not print: ${error.message}\n`);
  process.exit(1);
}

/** At once, as the process may end right after it. */
function warn(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // It is lost too: there is nobody left to tell.
  }
}

function ignore(): void {}
