/** Tests mutants on a copy of the tree, so that processes that the tests start run the changed code, too. */
import { type ChildProcess, fork } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestAnswer, TestRequest } from "./test-process.ts";

const COPIED = ["src", "test", "scripts", "docs", "examples", "proto", "package.json", "tsconfig.json"];
const START_LIMIT_MS = 60_000;

export type Verdict =
  | { readonly kind: "killed"; readonly by: string }
  /** The tests took many times as long as without the change: something does not end. */
  | { readonly kind: "hung" }
  | { readonly kind: "survived" };

export class Tester {
  private readonly folder = mkdtempSync(join(tmpdir(), "elastic-job-mutants-"));
  private readonly environment: Readonly<Record<string, string>>;
  private child: ChildProcess | null = null;

  constructor(environment: Readonly<Record<string, string>>) {
    this.environment = environment;
    for (const name of COPIED) cpSync(name, join(this.folder, name), { recursive: true });
    symlinkSync(resolve("node_modules"), join(this.folder, "node_modules"));
  }

  async test(path: string, source: string, tests: readonly string[], limitMs: number): Promise<Verdict> {
    writeFileSync(join(this.folder, path), source);
    const child = await this.start();
    const answer = await ask(child, { changed: path, tests }, limitMs);
    if (answer === null) {
      this.kill();
      return { kind: "hung" };
    }
    return answer.failed === null ? { kind: "survived" } : { kind: "killed", by: answer.failed };
  }

  stop(): void {
    this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async start(): Promise<ChildProcess> {
    if (this.child?.connected) return this.child;
    const child = fork(resolve("scripts/mutants/test-process.ts"), {
      cwd: this.folder,
      env: { ...process.env, ...this.environment },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      // A group of its own: what hangs in a worker below it is ended with it.
      detached: true,
    });
    this.child = child;
    if ((await nextMessage(child, START_LIMIT_MS)) !== "ready") throw new Error("Vitest did not start");
    return child;
  }

  private kill(): void {
    if (this.child?.pid !== undefined) {
      try {
        process.kill(-this.child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    this.child = null;
  }
}

async function ask(child: ChildProcess, request: TestRequest, limitMs: number): Promise<TestAnswer | null> {
  child.send(request);
  return (await nextMessage(child, limitMs)) as TestAnswer | null;
}

/** Null: none came in time, or the process has ended. */
function nextMessage(child: ChildProcess, limitMs: number): Promise<unknown> {
  return new Promise((settle) => {
    const end = (message: unknown) => {
      clearTimeout(timer);
      child.off("message", end);
      child.off("exit", gone);
      settle(message);
    };
    const gone = () => end(null);
    const timer = setTimeout(gone, limitMs);
    child.once("message", end);
    child.once("exit", gone);
  });
}
