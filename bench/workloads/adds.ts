/** Adds with nobody there to work. */
import { cpuPerJob, readCpu } from "../measure.ts";
import { pick, type Workload } from "../workload.ts";

export const WARM_UP_JOBS = 2_000;
export const PER_CALL = 1_000;
export const IN_FLIGHT = 4;

export const singleAdds: Workload = {
  name: "single-adds",
  meaning: "one job a call, 100 calls at a time, one client process",
  largerIsBetter: true,
  contenders: "all",
  async run({ adder, ...arena }, size) {
    const jobs = pick(size, 20_000, 100_000);
    await adder.call("addSingly", WARM_UP_JOBS, 100);
    const before = readCpu({ adder, ...arena });
    const ms = await adder.call("addSingly", jobs, 100);
    return { "jobs/s": (jobs / ms) * 1000, ...cpuPerJob(before, readCpu({ adder, ...arena }), jobs) };
  },
};

export const bulkAdds: Workload = {
  name: "bulk-adds",
  meaning: `${PER_CALL} jobs a call, ${IN_FLIGHT} calls at a time, one client process`,
  largerIsBetter: true,
  contenders: "all",
  async run({ adder, ...arena }, size) {
    const jobs = pick(size, 50_000, 200_000);
    await adder.call("addInBulk", WARM_UP_JOBS, PER_CALL, 1, null);
    const before = readCpu({ adder, ...arena });
    const ms = await adder.call("addInBulk", jobs, PER_CALL, IN_FLIGHT, null);
    return { "jobs/s": (jobs / ms) * 1000, ...cpuPerJob(before, readCpu({ adder, ...arena }), jobs) };
  },
};
