import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient as createTypedClient } from "../../../src/client/client.ts";
import { JobService } from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import type { TestNode } from "../../fixtures/rpc-node/start-node.ts";
import { type StoredCluster, startStoredCluster } from "../../fixtures/rpc-node/stored-cluster.ts";
import type { TestMaster } from "../../fixtures/test-master.ts";

let cluster: StoredCluster;
let master: TestMaster;
let node: TestNode;
let follower: TestNode;
beforeAll(async () => {
  cluster = await startStoredCluster();
  ({ master, node, follower } = cluster);
});
afterAll(() => cluster.close());

async function add(): Promise<string> {
  const client = createTypedClient({ baseUrl: node.url });
  const job = { handler: "work", name: "a", priority: 5, timed: { delay: "1h" as const } };
  return (await client.addJob(job)).jobId;
}

async function update(body: string, to = node): Promise<string> {
  const response = await fetch(`${to.url}/elasticjob.v1.JobService/UpdateJob`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return response.text();
}

function transports(to: TestNode): Transport[] {
  const options = { baseUrl: to.url, httpVersion: "2" as const };
  return [
    createConnectTransport({ ...options, useBinaryFormat: true }),
    createConnectTransport({ ...options, useBinaryFormat: false }),
    createGrpcTransport({ baseUrl: to.url }),
    createGrpcWebTransport(options),
  ];
}

async function standing(jobId: string) {
  const record = (await master.store.readJobs([Number(jobId)])).get(Number(jobId));
  return { name: record?.spec.name, priority: record?.spec.priority, revision: record?.revision };
}

test("a priority of 0 and an empty name are set without a mask, over every protocol", async () => {
  for (const to of [node, follower]) {
    for (const transport of transports(to)) {
      const jobId = await add();
      const jobs = createClient(JobService, transport);
      const { job, changed } = await jobs.updateJob({ jobId, job: { priority: 0, name: "" } });
      expect(job).toMatchObject({ priority: 0, name: "work", revision: 1 });
      expect(changed).toBe(true);
      expect(await standing(jobId)).toEqual({ name: "work", priority: 0, revision: 1 });
    }
    const jobId = await add();
    const text = await update(`{"jobId":"${jobId}","job":{"priority":0,"name":""}}`, to);
    expect(text).toContain('"priority":0');
    expect(text).toContain('"changed":true');
    expect(await standing(jobId)).toEqual({ name: "work", priority: 0, revision: 1 });
  }
});

test("an update that changes nothing says so, and leaves the revision and the row alone", async () => {
  const jobId = await add();
  const before = (await master.store.readJobs([Number(jobId)])).get(Number(jobId));
  for (const to of [node, follower]) {
    for (const more of ["", ',"updateMask":"priority,name"', ',"revision":0']) {
      const text = await update(`{"jobId":"${jobId}","job":{"priority":5,"name":"a"}${more}}`, to);
      expect(text).toContain('"changed":false');
    }
    const nothing = await update(`{"jobId":"${jobId}","job":{"timeout":null}}`, to);
    expect(JSON.parse(nothing)).toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(/^job: has no field set that can be changed; /),
    });
  }
  expect((await master.store.readJobs([Number(jobId)])).get(Number(jobId))).toEqual(before);
});

test("the typed client says whether something changed, and takes back what it has answered", async () => {
  const jobId = await add();
  const client = createTypedClient({ baseUrl: node.url });
  const job = await client.updateJob({ jobId, job: { priority: 0, name: "" } });
  expect(job).toMatchObject({ changed: true, name: "work", priority: 0, revision: 1 });
  expect(await client.updateJob({ jobId, job })).toEqual({ ...job, changed: false });
  expect(await client.updateJob({ jobId, job: { ...job, priority: 1 } })).toMatchObject({
    changed: true,
    revision: 2,
  });
});
