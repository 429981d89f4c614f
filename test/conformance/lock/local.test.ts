import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openLocalLock } from "../../../src/coordination/local.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { isError } from "../../../src/core/errors.ts";
import { describeLock, TTL_MS } from "./lock-suite.ts";

let folder = "";
let dataDir = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastic-job-lock-"));
  dataDir = join(folder, "data");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

let now = 0;
const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {} };

describeLock("the local lock", async () => {
  const lock = openLocalLock({ dataDir, ttlMs: TTL_MS, clock });
  return {
    another: async () => lock,
    elapse: async (ms) => {
      now += ms;
    },
    close: () => lock.close(),
  };
});

describe("the local lock's folder", () => {
  const open = () => openLocalLock({ dataDir, ttlMs: TTL_MS, clock });

  test("is refused while this process has it open, and free after closing", async () => {
    const lock = open();
    expect(refusal(open)).toContain(dataDir);
    await lock.close();
    await open().close();
  });

  test("is refused while another process has it, and free once that was killed", async () => {
    const holder = spawnHolder(dataDir);
    await holder.ready;
    expect(refusal(open)).toMatch(/DATA_DIR .*in use by another process/);
    holder.process.kill("SIGKILL");
    await once(holder.process, "exit");
    await open().close();
  });

  test("that cannot be made is refused with the reason", async () => {
    const file = join(folder, "a-file");
    await writeFile(file, "");
    dataDir = join(file, "data");
    expect(refusal(open)).toMatch(/DATA_DIR .*a-file\/data cannot be used: /);
  });
});

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isError(error, "failed_precondition")) return error.message;
    throw error;
  }
  throw new Error("it was not refused");
}

function spawnHolder(heldDir: string) {
  const module = new URL("../../../src/coordination/local.ts", import.meta.url).href;
  const clockText = "{ now: () => 0, monotonic: () => 0, after: () => () => {} }";
  const code = `
    const { openLocalLock } = await import(${JSON.stringify(module)});
    openLocalLock({ dataDir: ${JSON.stringify(heldDir)}, ttlMs: 1000, clock: ${clockText} });
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { process: child, ready: once(child.stdout, "data") };
}
