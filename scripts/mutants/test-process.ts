import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Task, Verdict } from "./test-runner.ts";

/** A process that runs tests, started anew after a task that did not end in time. */
export class TestProcess {
  private readonly env: NodeJS.ProcessEnv;
  private child: ChildProcess | null = null;

  constructor(env: NodeJS.ProcessEnv) {
    this.env = env;
  }

  /** "timed out": not within `limitMs`, or the process was lost. */
  async run(task: Task, limitMs: number): Promise<Verdict | "timed out"> {
    const child = this.child ?? (await this.start());
    this.child = child;
    const verdict = await new Promise<Verdict | "timed out">((resolve) => {
      const settle = (answer: Verdict | "timed out") => {
        clearTimeout(timer);
        child.off("message", settle).off("exit", lost);
        resolve(answer);
      };
      const lost = () => settle("timed out");
      const timer = setTimeout(lost, limitMs);
      child.on("message", settle).on("exit", lost);
      child.send(task);
    });
    if (verdict === "timed out") this.stop();
    return verdict;
  }

  stop(): void {
    this.child?.kill("SIGKILL");
    this.child = null;
  }

  private async start(): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, "test-runner.ts"), {
      execArgv: ["--no-warnings"],
      env: this.env,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const exited = once(child, "exit").then(() => Promise.reject(new Error("the test runner did not start")));
    await Promise.race([once(child, "message"), exited]);
    return child;
  }
}
