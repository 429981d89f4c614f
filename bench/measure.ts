/** The CPU time that a piece of work took, by process. */
import type { Arena } from "./arena.ts";
import { cpuMs } from "./cpu.ts";

export type CpuReading = Readonly<Record<string, number>>;

export function readCpu(arena: Arena): CpuReading {
  const pids = Object.entries(arena.pids());
  return Object.fromEntries(pids.map(([role, ids]) => [role, ids.reduce((sum, pid) => sum + cpuMs(pid), 0)]));
}

/** Microseconds a job. A process that was started since counts from its start. */
export function cpuPerJob(before: CpuReading, after: CpuReading, jobs: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after).map(([role, ms]) => [`µs ${role}`, ((ms - (before[role] ?? 0)) * 1000) / jobs]),
  );
}
