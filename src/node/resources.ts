import { availableParallelism, totalmem } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** How loaded this process is, measured since the last call. */
export interface Load {
  /** 0 to 1 of its cores. */
  readonly cpu: number;
  readonly eventLoopDelayMs: number;
  readonly freeMemoryMb: number;
}

export interface Resources {
  readonly memoryMb: number;
  measure(): Load;
  stop(): void;
}

const MIB = 1 << 20;
const NANOSECONDS_PER_MS = 1e6;
const RESOLUTION_MS = 10;

/** The process's size and load, within its container's limits. */
export function processResources(): Resources {
  const constrained = process.constrainedMemory();
  // Without a limit it is 0, or more than the machine has.
  const memory = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let usage = process.cpuUsage();
  let since = performance.now();
  return {
    memoryMb: Math.floor(memory / MIB),
    measure() {
      const now = performance.now();
      const { user, system } = process.cpuUsage(usage);
      const elapsedMicroseconds = Math.max(1, (now - since) * 1000);
      usage = process.cpuUsage();
      since = now;
      // It counts its own resolution in.
      const eventLoopDelayMs = Math.max(0, delay.percentile(99) / NANOSECONDS_PER_MS - RESOLUTION_MS);
      delay.reset();
      return {
        cpu: Math.min(1, (user + system) / elapsedMicroseconds / availableParallelism()),
        eventLoopDelayMs: Number.isFinite(eventLoopDelayMs) ? eventLoopDelayMs : 0,
        freeMemoryMb: Math.floor(process.availableMemory() / MIB),
      };
    },
    stop: () => delay.disable(),
  };
}
