import { create } from "@bufbuild/protobuf";
import { type Assignment, assignMessage } from "../../coordination/assignment.ts";
import type { MasterStream } from "../../coordination/network.ts";
import type { Candidate } from "../../core/queues/placement.ts";
import {
  type ClaimVerdict,
  type Credit,
  DoneAckSchema,
  DrainSchema,
  type GetJobResponse,
  GetJobResponseSchema,
  type Hello,
  PongSchema,
  SchemasWantedSchema,
  UndrainSchema,
  VerdictsSchema,
  WelcomeSchema,
} from "../../gen/elasticjob/v1/node_service_pb.ts";

/** One stream of one node, from its hello on. */
export class NodeSession implements Candidate {
  readonly incarnation: string;
  readonly nodeId: string;
  readonly address: string;
  readonly slots: number;
  readonly memoryMb: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly handlers: ReadonlySet<string>;
  readonly runJob: boolean;
  readonly timeZoneData: string;
  /** Stands for the schemas of its handlers; empty: it has none. */
  readonly schemasDigest: string;
  /** Stands for this incarnation in the database. */
  readonly number: number;
  /** The classes it can take. */
  readonly takes = new Set<number>();
  cpu = 0;
  eventLoopDelayMs = 0;
  freeMemoryMb: number;
  queueSlots = 0;
  /** As the node says, or as it has been asked and may not have heard yet. */
  draining = false;
  private isAskedToDrain = false;
  /** Whether its address has answered: only then does a refusal there mean that its process has ended. */
  isReachable = false;
  /** Monotonic time of its last ping. */
  heardAt: number;
  private readonly stream: MasterStream;
  private offeredSlots = 0;
  private placedSlots = 0;
  private open = true;

  constructor(stream: MasterStream, hello: Hello, number: number, heardAt: number) {
    this.stream = stream;
    this.incarnation = hello.incarnation;
    this.nodeId = hello.nodeId;
    this.address = hello.address;
    this.slots = Math.max(1, hello.slots);
    this.memoryMb = hello.memoryMb;
    this.freeMemoryMb = hello.memoryMb;
    this.labels = hello.labels;
    this.handlers = new Set(hello.handlers);
    this.runJob = hello.runJob;
    this.timeZoneData = hello.timeZoneData;
    this.schemasDigest = hello.schemasDigest;
    this.number = number;
    this.heardAt = heardAt;
  }

  get isOpen(): boolean {
    return this.open;
  }

  get freeSlots(): number {
    return this.draining || !this.open ? 0 : this.offeredSlots - this.placedSlots;
  }

  credit(credit: Credit): void {
    this.offeredSlots = credit.slots;
    this.queueSlots = credit.queueSlots;
    this.cpu = credit.cpu;
    this.eventLoopDelayMs = credit.eventLoopDelayMs;
    this.freeMemoryMb = credit.freeMemoryMb;
    this.draining = credit.draining || this.isAskedToDrain;
  }

  /** Takes slots for a job that is about to be claimed for it. */
  reserve(slots: number): void {
    this.placedSlots += slots;
  }

  /** The claim did not come about, so the node never sees the job. */
  unreserve(slots: number): void {
    this.placedSlots -= slots;
  }

  welcome(epoch: number, clusterTimeMs: number, leaseMs: number): void {
    const value = create(WelcomeSchema, { epoch, nodeNumber: this.number, clusterTimeMs, leaseMs });
    this.stream.send(create(GetJobResponseSchema, { message: { case: "welcome", value } }));
  }

  pong(sentAtMs: number, clusterTimeMs: number): void {
    const value = create(PongSchema, { sentAtMs, clusterTimeMs });
    this.stream.send(create(GetJobResponseSchema, { message: { case: "pong", value } }));
  }

  askForSchemas(): void {
    const value = create(SchemasWantedSchema);
    this.stream.send(create(GetJobResponseSchema, { message: { case: "schemasWanted", value } }));
  }

  send(message: GetJobResponse): void {
    this.stream.send(message);
  }

  assign(assignments: readonly Assignment[]): void {
    this.stream.send(
      create(GetJobResponseSchema, { message: { case: "assign", value: assignMessage(assignments) } }),
    );
  }

  verdicts(claims: ClaimVerdict[]): void {
    const value = create(VerdictsSchema, { claims });
    this.stream.send(create(GetJobResponseSchema, { message: { case: "verdicts", value } }));
  }

  acknowledge(sequence: number): void {
    const value = create(DoneAckSchema, { sequence });
    this.stream.send(create(GetJobResponseSchema, { message: { case: "doneAck", value } }));
  }

  /** Nothing more is placed on it, and the node lets its jobs end or hands them back. */
  drain(): void {
    this.isAskedToDrain = true;
    this.draining = true;
    this.stream.send(
      create(GetJobResponseSchema, { message: { case: "drain", value: create(DrainSchema) } }),
    );
  }

  /** The node says with its next credit that it takes jobs again: one that is about to stop does not. */
  undrain(): void {
    this.isAskedToDrain = false;
    this.stream.send(
      create(GetJobResponseSchema, { message: { case: "undrain", value: create(UndrainSchema) } }),
    );
  }

  /** Nothing is placed on it, or sent on it, from now on. */
  close(): void {
    this.open = false;
    this.stream.close();
  }
}
