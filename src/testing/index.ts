/**
 * What users import as `elastic-job/testing`: a whole cluster inside a test, under virtual time, without servers. It
 * belongs to no test runner.
 */
export type { NodeOptions, TestClusterOptions } from "./check-options.ts";
export type { TestClock } from "./test-clock.ts";
export { type TestCluster, testCluster } from "./test-cluster.ts";
export type { TestDuration, TestMoment } from "./test-times.ts";
