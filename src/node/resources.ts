/** A node's size and load, within the limits of its container. */
import { readFileSync } from "node:fs";
import { availableParallelism, freemem, totalmem } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type CgroupUsage, type ReadText, readCgroup } from "./cgroup.ts";

/** How loaded this process is, measured since the last call. */
export interface Load {
  /** 0 to 1 of its cores, or its container's: the larger share of both. */
  readonly cpu: number;
  readonly eventLoopDelayMs: number;
  readonly freeMemoryMb: number;
}

export interface Resources {
  readonly memoryMb: number;
  measure(): Load;
  stop(): void;
}

/** CPU time used so far, at one moment. */
export interface CpuSample {
  readonly atMs: number;
  readonly processMicroseconds: number;
  /** Of the process's container, with all that runs in it; null: not known. */
  readonly cgroupMicroseconds: number | null;
}

const MIB = 1 << 20;
const NANOSECONDS_PER_MS = 1e6;
const RESOLUTION_MS = 10;

export function processResources(readText: ReadText = readFile): Resources {
  const read = onlyWhatIsThere(readText);
  const limit = readCgroup(read).memoryLimitBytes;
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let last = sample(readCgroup(read));
  return {
    memoryMb: Math.floor(Math.min(limit ?? Number.POSITIVE_INFINITY, totalmem()) / MIB),
    measure() {
      const cgroup = readCgroup(read);
      const next = sample(cgroup);
      const cores = Math.min(cgroup.cpuLimit ?? Number.POSITIVE_INFINITY, availableParallelism());
      const cpu = cpuShare(last, next, cores);
      last = next;
      // It counts its own resolution in.
      const eventLoopDelayMs = Math.max(0, delay.percentile(99) / NANOSECONDS_PER_MS - RESOLUTION_MS);
      delay.reset();
      const freeBytes = Math.min(cgroup.memoryFreeBytes ?? Number.POSITIVE_INFINITY, freemem());
      return {
        cpu,
        eventLoopDelayMs: Number.isFinite(eventLoopDelayMs) ? eventLoopDelayMs : 0,
        freeMemoryMb: Math.floor(freeBytes / MIB),
      };
    },
    stop: () => delay.disable(),
  };
}

/** 0 to 1 of `cores`. */
export function cpuShare(from: CpuSample, to: CpuSample, cores: number): number {
  const available = Math.max(1, (to.atMs - from.atMs) * 1000) * cores;
  const used = to.processMicroseconds - from.processMicroseconds;
  const inCgroup =
    from.cgroupMicroseconds === null || to.cgroupMicroseconds === null
      ? 0
      : to.cgroupMicroseconds - from.cgroupMicroseconds;
  return Math.min(1, Math.max(0, used, inCgroup) / available);
}

function sample({ cpuMicroseconds }: CgroupUsage): CpuSample {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    processMicroseconds: user + system,
    cgroupMicroseconds: cpuMicroseconds,
  };
}

/** Most files of the one version or the other are not there; looking for them each second would cost more than reading. */
function onlyWhatIsThere(read: ReadText): ReadText {
  const missing = new Set<string>();
  return (path) => {
    if (missing.has(path)) return null;
    const text = read(path);
    if (text === null) missing.add(path);
    return text;
  };
}

function readFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
