/** What strangers may not. */
import assert from "node:assert/strict";
import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { JobService } from "../../src/gen/elasticjob/v1/job_service_pb.ts";
import { NodeService } from "../../src/gen/elasticjob/v1/node_service_pb.ts";
import { docker } from "./docker.ts";
import type { Stack } from "./stack.ts";

const bearer = (token: string): Interceptor[] => [
  (next) => (request) => {
    if (token !== "") request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  },
];

/** At a node's published port in every protocol, and at the edge. */
export async function expectStrangersRefused(stack: Stack): Promise<void> {
  const nodeUrl = `http://${await docker("port", await stack.onlyContainer("node"), "7070/tcp")}`;
  const open = (token: string): [string, Transport][] => {
    const interceptors = bearer(token);
    return [
      ["Connect", createConnectTransport({ baseUrl: nodeUrl, httpVersion: "1.1", interceptors })],
      ["gRPC", createGrpcTransport({ baseUrl: nodeUrl, interceptors })],
      ["gRPC-Web", createGrpcWebTransport({ baseUrl: nodeUrl, httpVersion: "1.1", interceptors })],
      [
        "Connect at the edge",
        createConnectTransport({ baseUrl: stack.edgeUrl, httpVersion: "1.1", interceptors }),
      ],
      [
        "gRPC-Web at the edge",
        createGrpcWebTransport({ baseUrl: stack.edgeUrl, httpVersion: "1.1", interceptors }),
      ],
    ];
  };
  const refusal = /\[unauthenticated\]/;
  for (const token of ["", "a-token-that-nobody-gave"]) {
    for (const [, transport] of open(token)) {
      await assert.rejects(createClient(JobService, transport).addJob({ handler: "echo" }), refusal);
    }
  }
  // Not even a caller who may add jobs may pass for a node, or reach one's stream through the edge.
  for (const [name, transport] of open(stack.token)) {
    assert.ok((await createClient(JobService, transport).getAllJobs({ pageSize: 1 })).jobs);
    const expected = name.endsWith("edge") ? /\[(unimplemented|not_found|unknown)\]/ : refusal;
    await assert.rejects(createClient(NodeService, transport).identify({}), expected, name);
  }
  for (const path of ["/healthz", "/readyz"]) {
    for (const url of [nodeUrl, stack.edgeUrl]) assert.equal((await fetch(url + path)).status, 200);
  }
}
