import { describe, expect, test } from "vitest";
import { parseCpuMax, parseGroups, parseNumber, parseValue, readCgroup } from "../../../src/node/cgroup.ts";
import { cpuShare, processResources } from "../../../src/node/resources.ts";

const MIB = 1 << 20;

function reading(files: Readonly<Record<string, string>>) {
  return readCgroup((path) => files[path] ?? null);
}

describe("version 2", () => {
  test("a container sees its own group as the root", () => {
    const usage = reading({
      "/proc/self/cgroup": "0::/\n",
      "/sys/fs/cgroup/cpu.max": "50000 100000\n",
      "/sys/fs/cgroup/cpu.stat": "usage_usec 1234567\nuser_usec 1000000\n",
      "/sys/fs/cgroup/memory.max": `${512 * MIB}\n`,
      "/sys/fs/cgroup/memory.current": `${300 * MIB}\n`,
      "/sys/fs/cgroup/memory.stat": `anon 1\nfile 2\ninactive_file ${100 * MIB}\n`,
    });
    expect(usage).toEqual({
      cpuLimit: 0.5,
      cpuMicroseconds: 1_234_567,
      memoryLimitBytes: 512 * MIB,
      memoryFreeBytes: 312 * MIB,
    });
  });

  test("the tightest limit of the groups above counts, with that group's use", () => {
    const usage = reading({
      "/proc/self/cgroup": "0::/app.slice/node.service\n",
      "/sys/fs/cgroup/app.slice/node.service/cpu.max": "max 100000\n",
      "/sys/fs/cgroup/app.slice/node.service/cpu.stat": "usage_usec 10\n",
      "/sys/fs/cgroup/app.slice/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/app.slice/cpu.stat": "usage_usec 500\n",
      "/sys/fs/cgroup/cpu.stat": "usage_usec 9000\n",
      "/sys/fs/cgroup/app.slice/node.service/memory.max": `${400 * MIB}`,
      "/sys/fs/cgroup/app.slice/node.service/memory.current": `${10 * MIB}`,
      "/sys/fs/cgroup/app.slice/memory.max": `${1000 * MIB}`,
      "/sys/fs/cgroup/app.slice/memory.current": `${950 * MIB}`,
    });
    expect(usage).toEqual({
      cpuLimit: 1.5,
      cpuMicroseconds: 500,
      memoryLimitBytes: 400 * MIB,
      memoryFreeBytes: 50 * MIB,
    });
  });

  test("without a limit nothing is known: what shares such a group is not this node's load", () => {
    const usage = reading({
      "/proc/self/cgroup": "0::/a\n",
      "/sys/fs/cgroup/a/cpu.max": "max 100000\n",
      "/sys/fs/cgroup/a/cpu.stat": "usage_usec 77\n",
      "/sys/fs/cgroup/a/memory.max": "max\n",
      "/sys/fs/cgroup/a/memory.current": "5\n",
    });
    expect(usage).toEqual({
      cpuLimit: null,
      cpuMicroseconds: null,
      memoryLimitBytes: null,
      memoryFreeBytes: null,
    });
  });
});

describe("version 1", () => {
  test("controllers are mounted together or apart, and the container's path may not be visible", () => {
    const usage = reading({
      "/proc/self/cgroup": "12:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "200000\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage": "5000000\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": `${256 * MIB}\n`,
      "/sys/fs/cgroup/memory/memory.usage_in_bytes": `${200 * MIB}\n`,
      "/sys/fs/cgroup/memory/memory.stat": `cache 1\ninactive_file 0\ntotal_inactive_file ${20 * MIB}\n`,
    });
    expect(usage).toEqual({
      cpuLimit: 2,
      cpuMicroseconds: 5000,
      memoryLimitBytes: 256 * MIB,
      memoryFreeBytes: 76 * MIB,
    });
  });

  test("-1 and numbers near 2^63 mean no limit", () => {
    const usage = reading({
      "/proc/self/cgroup": "2:cpuacct:/\n1:cpu:/\n4:memory:/\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/cpuacct/cpuacct.usage": "7000\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/memory/memory.usage_in_bytes": "100\n",
    });
    expect(usage).toEqual({
      cpuLimit: null,
      cpuMicroseconds: null,
      memoryLimitBytes: null,
      memoryFreeBytes: null,
    });
  });
});

test("no groups at all, and files that make no sense, are no limits", () => {
  const nothing = { cpuLimit: null, cpuMicroseconds: null, memoryLimitBytes: null, memoryFreeBytes: null };
  expect(reading({})).toEqual(nothing);
  expect(
    reading({
      "/proc/self/cgroup": "garbage\n0::/\n",
      "/sys/fs/cgroup/cpu.max": "0 0",
      "/sys/fs/cgroup/cpu.stat": "usage_usec abc",
      "/sys/fs/cgroup/memory.max": "",
      "/sys/fs/cgroup/memory.current": "lots",
    }),
  ).toEqual(nothing);
});

test("the single files are read as the kernel writes them", () => {
  expect(parseGroups("0::/a:b\n3:cpu,cpuacct:/x\n")).toEqual([
    { controllers: "", path: "/a:b" },
    { controllers: "cpu,cpuacct", path: "/x" },
  ]);
  expect(parseCpuMax("max 100000\n")).toBeNull();
  expect(parseCpuMax("12500 25000\n")).toBe(0.5);
  expect(parseCpuMax(null)).toBeNull();
  expect(parseNumber("max\n")).toBeNull();
  expect(parseNumber("0\n")).toBe(0);
  expect(parseValue("a 1\nab 2\n", "ab")).toBe(2);
  expect(parseValue("a 1\n", "b")).toBeNull();
});

describe("the share of CPU", () => {
  const at = (atMs: number, processMicroseconds: number, cgroupMicroseconds: number | null) => ({
    atMs,
    processMicroseconds,
    cgroupMicroseconds,
  });

  test("is of the container's cores, not of the machine's", () => {
    expect(cpuShare(at(0, 0, 0), at(1000, 450_000, 450_000), 0.5)).toBeCloseTo(0.9);
  });

  test("is the container's when others in it use more than the process", () => {
    expect(cpuShare(at(0, 0, 0), at(1000, 10_000, 1_800_000), 2)).toBeCloseTo(0.9);
  });

  test("is the process's when nothing is known of a container", () => {
    expect(cpuShare(at(0, 0, null), at(1000, 500_000, null), 2)).toBeCloseTo(0.25);
    expect(cpuShare(at(0, 0, null), at(1000, 500_000, 5), 2)).toBeCloseTo(0.25);
  });

  test("stays between 0 and 1, also over no time and when counters go back", () => {
    expect(cpuShare(at(5, 0, 0), at(5, 100, 100_000), 1)).toBe(1);
    expect(cpuShare(at(0, 900, 900), at(1000, 100, 100), 1)).toBe(0);
  });
});

test("the real machine has a size, and a load within it", () => {
  const resources = processResources();
  const { cpu, eventLoopDelayMs, freeMemoryMb } = resources.measure();
  resources.stop();
  expect(resources.memoryMb).toBeGreaterThan(0);
  expect(cpu).toBeGreaterThanOrEqual(0);
  expect(cpu).toBeLessThanOrEqual(1);
  expect(eventLoopDelayMs).toBeGreaterThanOrEqual(0);
  expect(freeMemoryMb).toBeGreaterThan(0);
  expect(freeMemoryMb).toBeLessThanOrEqual(resources.memoryMb);
});

test("a container's memory is the node's size, and what it has left is what is free", () => {
  const files: Record<string, string> = {
    "/proc/self/cgroup": "0::/\n",
    "/sys/fs/cgroup/memory.max": `${64 * MIB}`,
    "/sys/fs/cgroup/memory.current": `${60 * MIB}`,
  };
  const resources = processResources((path) => files[path] ?? null);
  expect(resources.memoryMb).toBe(64);
  expect(resources.measure().freeMemoryMb).toBe(4);
  files["/sys/fs/cgroup/memory.current"] = `${63 * MIB}`;
  expect(resources.measure().freeMemoryMb).toBe(1);
  resources.stop();
});
