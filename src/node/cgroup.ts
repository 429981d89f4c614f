/**
 * What a container (a control group of Linux) may use, and what it uses. Version 2 and 1; a limit can
 * stand at any level above the process's own group, so all that can be seen are read.
 * Elsewhere than on Linux, and where nothing is limited, everything is null.
 */

/** A small text file; null: it isn't there. */
export type ReadText = (path: string) => string | null;

export interface CgroupUsage {
  /** In cores, such as 0.5. */
  readonly cpuLimit: number | null;
  /**
   * CPU time so far, of the group that the limit is for; null without a limit: what shares an unlimited
   * group is the whole machine, or all that was started from one shell, and is not this node's load.
   */
  readonly cpuMicroseconds: number | null;
  readonly memoryLimitBytes: number | null;
  /** Left before the limit; a cache of files that can be dropped counts as free. */
  readonly memoryFreeBytes: number | null;
}

const ROOT = "/sys/fs/cgroup";
/** "Not limited", in version 1: a number of about 2^63. */
const UNLIMITED_BYTES = 2 ** 53;
const NANOSECONDS_PER_MICROSECOND = 1000;

export function readCgroup(read: ReadText): CgroupUsage {
  const groups = parseGroups(read("/proc/self/cgroup") ?? "");
  const levels = (controller: string) => levelsOf(groups, controller);
  const cpu = tightestCpu(levels("cpu").map((folder) => readCpu(read, folder)));
  const accounted = () => firstOf(levels("cpuacct").map((folder) => readCpu(read, folder).microseconds));
  const memory = levels("memory").map((folder) => readMemory(read, folder));
  return {
    cpuLimit: cpu?.limit ?? null,
    cpuMicroseconds: cpu === null ? null : (cpu.microseconds ?? accounted()),
    memoryLimitBytes: least(memory.map(({ limit }) => limit)),
    memoryFreeBytes: least(memory.map(({ free }) => free)),
  };
}

/** Lines of `/proc/self/cgroup`: `id:controllers:path`; version 2 has no controllers. */
export function parseGroups(text: string): { controllers: string; path: string }[] {
  return text.split("\n").flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    return controllers === undefined || path === undefined ? [] : [{ controllers, path }];
  });
}

/** `quota period` in microseconds, or `max period`; in cores. */
export function parseCpuMax(text: string | null): number | null {
  const [, quota, period] = /^(\d+) (\d+)\s*$/.exec(text ?? "") ?? [];
  return Number(period) > 0 ? Number(quota) / Number(period) : null;
}

/** One value of a file of lines `key value`. */
export function parseValue(text: string | null, key: string): number | null {
  for (const line of text?.split("\n") ?? []) {
    const [name, value] = line.split(" ");
    if (name === key) return parseNumber(value ?? null);
  }
  return null;
}

/** `max`, and what stands for it, is null. */
export function parseNumber(text: string | null): number | null {
  const value = /^\d+\s*$/.test(text ?? "") ? Number(text) : UNLIMITED_BYTES;
  return value < UNLIMITED_BYTES ? value : null;
}

/** The process's own group first, then those above. A container may see its own as the root. */
function levelsOf(groups: ReturnType<typeof parseGroups>, controller: string): string[] {
  return groups.flatMap(({ controllers, path }) => {
    if (controllers !== "" && !controllers.split(",").includes(controller)) return [];
    const mounts =
      controllers === "" ? [ROOT, `${ROOT}/unified`] : [`${ROOT}/${controllers}`, `${ROOT}/${controller}`];
    const paths: string[] = [];
    for (let at = path; at !== "" && at !== "/"; at = at.slice(0, at.lastIndexOf("/"))) paths.push(at);
    return [...new Set(mounts)].flatMap((mount) => [...paths, ""].map((at) => mount + at));
  });
}

interface CpuLevel {
  readonly limit: number | null;
  readonly microseconds: number | null;
}

function readCpu(read: ReadText, folder: string): CpuLevel {
  const used = parseValue(read(`${folder}/cpu.stat`), "usage_usec");
  const nanoseconds = parseNumber(read(`${folder}/cpuacct.usage`));
  const quota = read(`${folder}/cpu.cfs_quota_us`)?.trim();
  const period = read(`${folder}/cpu.cfs_period_us`)?.trim();
  return {
    limit: parseCpuMax(read(`${folder}/cpu.max`)) ?? parseCpuMax(`${quota} ${period}`),
    microseconds: used ?? (nanoseconds === null ? null : nanoseconds / NANOSECONDS_PER_MICROSECOND),
  };
}

/** The level with the smallest limit. */
function tightestCpu(levels: readonly CpuLevel[]): CpuLevel | null {
  let tightest: CpuLevel | null = null;
  for (const level of levels) {
    if (level.limit !== null && (tightest === null || level.limit < (tightest.limit ?? 0))) tightest = level;
  }
  return tightest;
}

function readMemory(read: ReadText, folder: string): { limit: number | null; free: number | null } {
  const limit =
    parseNumber(read(`${folder}/memory.max`)) ?? parseNumber(read(`${folder}/memory.limit_in_bytes`));
  if (limit === null) return { limit, free: null };
  const used =
    parseNumber(read(`${folder}/memory.current`)) ?? parseNumber(read(`${folder}/memory.usage_in_bytes`));
  if (used === null) return { limit, free: null };
  const stat = read(`${folder}/memory.stat`);
  const droppable = parseValue(stat, "total_inactive_file") ?? parseValue(stat, "inactive_file") ?? 0;
  return { limit, free: Math.min(limit, Math.max(0, limit - used + droppable)) };
}

function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function firstOf(values: readonly (number | null)[]): number | null {
  return values.find((value) => value !== null) ?? null;
}
