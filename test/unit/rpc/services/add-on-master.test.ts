import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { NOT_SAID } from "../../../../src/core/callers/caller.ts";
import { AddJobsRequestSchema } from "../../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { DEFAULT_LIMITS } from "../../../../src/rpc/limits.ts";
import { addOnMaster } from "../../../../src/rpc/services/add-on-master.ts";
import { memoryJobApi } from "../../../fixtures/rpc-node/memory-job-api.ts";

const CALL = { key: null, isOwnKey: false, forwarded: false, isLone: false };

test("jobs that are checked within a slice are handed on at once, however long ago the last slice was", async () => {
  const api = memoryJobApi();
  const addJobs = vi.spyOn(api, "addJobs");
  const jobs = Array.from({ length: 64 }, () => ({ handler: "echo" }));
  const answer = addOnMaster(api, create(AddJobsRequestSchema, { jobs }), CALL, DEFAULT_LIMITS, NOT_SAID);
  expect(addJobs).toHaveBeenCalledOnce();
  expect((await answer).outcomes).toHaveLength(64);
});
