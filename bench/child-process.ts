/** The parent's side of `child.ts`. */
import { fork } from "node:child_process";
import { join } from "node:path";
import type { ChildCalls } from "./child.ts";

const CHILD = join(import.meta.dirname, "child.ts");
const CLOSE_LIMIT_MS = 10_000;

export interface Child {
  readonly pid: number;
  call<K extends keyof ChildCalls>(
    call: K,
    ...args: Parameters<ChildCalls[K]>
  ): Promise<ReturnType<ChildCalls[K]>>;
  close(): Promise<void>;
}

export function startChild(execArgv: readonly string[] = []): Child {
  const child = fork(CHILD, { execArgv: [...execArgv], stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  const exited = new Promise<void>((resolve) => {
    child.once("exit", (code) => {
      for (const { reject } of waiting.values())
        reject(new Error(`a process of the benchmark ended with ${code}`));
      resolve();
    });
  });
  child.on("message", (message: { readonly id: number; readonly result: never; readonly error?: string }) => {
    const caller = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) caller?.resolve(message.result);
    else caller?.reject(new Error(message.error));
  });
  const call: Child["call"] = (name, ...args) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      waiting.set(id, { resolve, reject });
      child.send({ id, call: name, args });
    });
  return {
    pid: child.pid ?? 0,
    call,
    async close() {
      const limit = setTimeout(() => child.kill("SIGKILL"), CLOSE_LIMIT_MS);
      await call("close").catch(() => {});
      // It exits by itself then, as a profiler wants it.
      if (child.connected) child.disconnect();
      await exited;
      clearTimeout(limit);
    },
  };
}
