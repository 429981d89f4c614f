import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerSchemas } from "../contract/json-schemas.ts";
import type { MasterAddress } from "../coordination/cluster-lock.ts";
import { type DoneClaim, doneMessage } from "../coordination/done-claim.ts";
import { progressMessage } from "../coordination/job-progress.ts";
import type { NodeStream } from "../coordination/network.ts";
import type { ClaimProgress } from "../core/log/progress.ts";
import {
  CreditSchema,
  type GetJobRequest,
  GetJobRequestSchema,
  HandlerSchemasSchema,
  HelloSchema,
  PingSchema,
  SchemasSchema,
} from "../gen/elasticjob/v1/node_service_pb.ts";

/** Done claims of one message. */
const MAX_DONE = 1000;

/** One stream to a master: what was offered and told on it. */
export class MasterConnection {
  readonly master: MasterAddress;
  /** Monotonic: when it was opened, and the first ping sent. */
  readonly openedAt: number;
  /** The number of this incarnation, from the master's welcome; 0: not welcomed yet. */
  nodeNumber = 0;
  /** Of the mastership that has welcomed this node. */
  epoch = 0;
  /** All slots offered on it so far. */
  offeredSlots: number;
  private readonly stream: NodeStream;
  private lastSequence = 0;
  /** Sent and not acknowledged yet, by sequence. */
  private readonly unacknowledged = new Map<number, readonly DoneClaim[]>();

  constructor(stream: NodeStream, master: MasterAddress, openedAt: number, offeredSlots: number) {
    this.stream = stream;
    this.master = master;
    this.openedAt = openedAt;
    this.offeredSlots = offeredSlots;
  }

  hello(hello: MessageInitShape<typeof HelloSchema>): void {
    this.send({ case: "hello", value: create(HelloSchema, hello) });
    this.ping(this.openedAt);
  }

  ping(sentAtMs: number): void {
    this.send({ case: "ping", value: create(PingSchema, { sentAtMs }) });
  }

  credit(credit: MessageInitShape<typeof CreditSchema>): void {
    this.send({ case: "credit", value: create(CreditSchema, credit) });
  }

  schemas(schemas: readonly HandlerSchemas[]): void {
    const handlers = schemas.map((schema) => create(HandlerSchemasSchema, schema));
    this.send({ case: "schemas", value: create(SchemasSchema, { handlers }) });
  }

  done(claims: DoneClaim[]): void {
    for (let start = 0; start < claims.length; start += MAX_DONE) {
      const part = claims.slice(start, start + MAX_DONE);
      const sequence = ++this.lastSequence;
      this.unacknowledged.set(sequence, part);
      this.send({ case: "done", value: doneMessage(sequence, part) });
    }
  }

  progress(all: readonly ClaimProgress[]): void {
    this.send({ case: "progress", value: progressMessage(all) });
  }

  /** The claims of the done messages up to this one, which the master has taken in. */
  acknowledged(through: number): DoneClaim[] {
    const taken: DoneClaim[] = [];
    for (const [sequence, claims] of this.unacknowledged) {
      if (sequence > through) break;
      taken.push(...claims);
      this.unacknowledged.delete(sequence);
    }
    return taken;
  }

  close(): void {
    this.stream.close();
  }

  private send(message: GetJobRequest["message"]): void {
    this.stream.send(create(GetJobRequestSchema, { message }));
  }
}
