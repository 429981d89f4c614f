import { readdirSync, readFileSync } from "node:fs";
import { until } from "../fixtures/until.ts";

/** Stops a process, and resolves when all of its threads stand still: until then, one may still answer. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await until("the process stands still", () =>
    readdirSync(`/proc/${pid}/task`).every((thread) =>
      /^State:\s+T/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8")),
    ),
  );
}
