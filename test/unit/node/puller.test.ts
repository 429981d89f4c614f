/** A node and the masters that it talks to, on virtual time. */
import { create } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import { assignMessage } from "../../../src/coordination/assignment.ts";
import type { MasterAddress } from "../../../src/coordination/cluster-lock.ts";
import type { Network } from "../../../src/coordination/network.ts";
import {
  type GetJobRequest,
  type GetJobResponse,
  GetJobResponseSchema,
  WelcomeSchema,
} from "../../../src/gen/elasticjob/v1/node_service_pb.ts";
import type { Execution, ExecutionEnd } from "../../../src/node/executors.ts";
import { Puller } from "../../../src/node/puller.ts";
import type { EndedClaim, ResultWriter } from "../../../src/node/result-writer.ts";
import { assignmentOf } from "../../fixtures/assignment-fixture.ts";
import { silentLogger } from "../../fixtures/silent-logger.ts";
import { Gate, ProcessClock, VirtualTime } from "../../fixtures/virtual-clock.ts";

const LEASE_MS = 6000;

/** The master's end of a stream that the node has opened. */
interface Stream {
  readonly to: string;
  readonly sent: GetJobRequest["message"][];
  isClosed: boolean;
  say(message: GetJobResponse["message"]): void;
  end(): void;
}

function rig() {
  const time = new VirtualTime();
  const clock = new ProcessClock({ time, gate: new Gate(), skewMs: 0, uptimeMs: 5000 });
  const streams: Stream[] = [];
  const network: Network = {
    openStream(address, on) {
      const stream: Stream = {
        to: address,
        sent: [],
        isClosed: false,
        say: (message) => {
          if (!stream.isClosed) on.message(create(GetJobResponseSchema, { message }));
        },
        end: () => {
          if (stream.isClosed) return;
          stream.isClosed = true;
          on.closed("ended");
        },
      };
      streams.push(stream);
      return { send: ({ message }) => stream.sent.push(message), close: stream.end };
    },
    identify: async () => "silent",
  };
  let master: MasterAddress | null = null;
  let changed = new AbortController();
  const lost: MasterAddress[] = [];
  const begun: Execution[] = [];
  const ends: ((end: ExecutionEnd) => void)[] = [];
  const aborted: string[] = [];
  const results: EndedClaim[] = [];
  const puller = new Puller({
    settings: {
      incarnation: "me",
      nodeId: "n1",
      address: () => "n1:7070",
      slots: 4,
      labels: {},
      leaseMs: LEASE_MS,
      maxLost: 10,
      drainGraceMs: 3000,
    },
    masters: {
      current: () => master,
      changed: (signal) =>
        new Promise((resolve) => {
          const either = AbortSignal.any([changed.signal, signal]);
          if (either.aborted) resolve();
          else either.addEventListener("abort", () => resolve(), { once: true });
        }),
      lost: (gone) => lost.push(gone),
    },
    network,
    executors: {
      handlers: ["work"],
      hasRunJob: false,
      run(execution, ended) {
        begun.push(execution);
        ends.push(ended);
        return { abort: (reason) => aborted.push(reason) };
      },
      stop: async () => {},
    },
    resources: {
      memoryMb: 1000,
      measure: () => ({ cpu: 0, eventLoopDelayMs: 0, freeMemoryMb: 1000 }),
      stop: () => {},
    },
    writer: {
      backlog: 0,
      add: (ended: EndedClaim) => results.push(ended),
      stop: async () => {},
    } as unknown as ResultWriter,
    clock,
    logger: silentLogger,
  });
  running.push({ puller, time });
  puller.start();
  return {
    time,
    clock,
    puller,
    streams,
    lost,
    begun,
    ends,
    aborted,
    results,
    last: (): Stream => streams.at(-1) ?? expect.fail("no stream was opened"),
    async elect(nodeId: string, epoch: number): Promise<void> {
      master = { address: `${nodeId}:7070`, nodeId, incarnation: `of ${nodeId}`, epoch };
      const before = changed;
      changed = new AbortController();
      before.abort();
      // More than the rest between two streams.
      await time.advance(100);
    },
  };
}

const running: { readonly puller: Puller; readonly time: VirtualTime }[] = [];
afterEach(async () => {
  for (const { puller, time } of running.splice(0)) {
    const stopped = puller.stop();
    await time.advance(1);
    await stopped;
  }
});

function welcome(epoch: number): GetJobResponse["message"] {
  const value = create(WelcomeSchema, { epoch, nodeNumber: 3, clusterTimeMs: 1_000_000, leaseMs: LEASE_MS });
  return { case: "welcome", value };
}

function assign(jobId: number): GetJobResponse["message"] {
  return { case: "assign", value: assignMessage([assignmentOf({ jobId })]) };
}

test("a master of a lower epoch than the node has seen is refused, one of the same or a higher is not", async () => {
  const { time, elect, last, begun } = rig();
  await elect("a", 5);
  last().say(welcome(5));
  await elect("b", 4);
  const deposed = last();
  expect(deposed.to).toBe("b:7070");
  deposed.say(welcome(4));
  expect(deposed.isClosed).toBe(true);
  deposed.say(assign(1));
  await time.advance(1);
  expect(begun).toEqual([]);
  expect(deposed.sent.map((message) => message.case)).not.toContain("credit");
  for (const epoch of [5, 6]) {
    await elect("c", epoch);
    last().say(welcome(epoch));
    await time.advance(1);
    expect(last().isClosed).toBe(false);
    expect(last().sent.map((message) => message.case)).toContain("credit");
  }
});
