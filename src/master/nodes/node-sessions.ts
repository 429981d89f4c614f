/**
 * What connected nodes say, and the claims they hold. A claim belongs to one stream of one
 * incarnation: it is LOST when that node says that it does not hold it, or is gone. A node is gone
 * when it has been silent for its lease and a margin, or, sooner, when its stream ended and its
 * address, which was reached before, refuses twice or answers with another incarnation.
 */
import { create } from "@bufbuild/protobuf";
import { doneClaimsOf } from "../../coordination/done-claim.ts";
import type { MasterStream, Network, StreamHandler } from "../../coordination/network.ts";
import { sleep } from "../../core/clock.ts";
import { ElasticJobError, isError } from "../../core/errors.ts";
import { type JobRecord, STORED_STATUS, type StoredStatus } from "../../core/job.ts";
import { goneAt } from "../../core/lease.ts";
import {
  ClaimVerdictSchema,
  type Done,
  type GetJobRequest,
  type Hello,
  Verdict,
} from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { ClaimRef } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { Endings } from "../ending/endings.ts";
import type { ClassRegistry } from "../memory/class-registry.ts";
import type { InFlight } from "../memory/in-flight.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import { AbsentNodes } from "./absent-nodes.ts";
import type { ConnectedNodes } from "./connected-nodes.ts";
import { helloFirst } from "./hello-first.ts";
import { judgeClaims } from "./judge-claims.ts";
import { NodeNumbers } from "./node-numbers.ts";
import { NodeSession } from "./node-session.ts";
import { PingTrust } from "./ping-trust.ts";

const CHECK_MS = 100;
const IDENTIFY_TIMEOUT_MS = 500;
const STORED_STATUSES = new Map<number, StoredStatus>(
  Object.values(STORED_STATUS).map((status) => [status, status]),
);

export class NodeSessions {
  private readonly context: MasterContext;
  private readonly nodes: ConnectedNodes;
  private readonly network: Network;
  private readonly memory: JobMemory;
  private readonly inFlight: InFlight;
  private readonly endings: Endings;
  private readonly classes: ClassRegistry;
  private readonly numbers: NodeNumbers;
  private readonly changed: () => void;
  private readonly roomMade: () => void;
  private readonly absent: AbsentNodes;
  private readonly pingTrust: PingTrust;

  /** `changed` hears when a node came or went; `roomMade`, when more could be placed. */
  constructor(
    context: MasterContext,
    parts: {
      nodes: ConnectedNodes;
      network: Network;
      memory: JobMemory;
      inFlight: InFlight;
      endings: Endings;
      classes: ClassRegistry;
    },
    on: { changed: () => void; roomMade: () => void },
  ) {
    this.context = context;
    this.nodes = parts.nodes;
    this.network = parts.network;
    this.memory = parts.memory;
    this.inFlight = parts.inFlight;
    this.endings = parts.endings;
    this.classes = parts.classes;
    this.numbers = new NodeNumbers(context);
    const { numbers, network } = this;
    this.absent = new AbsentNodes(context, { network, numbers }, (claims) =>
      this.loseAll(claims, "its node is gone"),
    );
    this.pingTrust = new PingTrust(context);
    this.changed = on.changed;
    this.roomMade = on.roomMade;
  }

  async load(): Promise<void> {
    await this.numbers.load();
  }

  nodeIdOf(number: number): string {
    return this.numbers.nodeIdOf(number);
  }

  /** A job was found RUNNING in the database. Its node may still come and speak for it. */
  found(record: JobRecord): void {
    if (this.memory.queues.get(record.id)?.place === "running" && this.isSpokenFor(record)) return;
    this.memory.run(record, false);
    const session = this.nodes.all().find(({ number }) => number === record.node);
    if (session !== undefined) {
      // The node is here, and its hello did not list the claim.
      if (session.claims.get(record.id) !== record.claim) this.lose(record, "its node no longer holds it");
      return;
    }
    this.absent.found(record);
  }

  /** Whether a node that is connected, or is waited for, has this claim. */
  isSpokenFor(record: JobRecord): boolean {
    const isHeld = this.nodes.all().some(({ claims }) => claims.get(record.id) === record.claim);
    return isHeld || this.absent.hold(record);
  }

  /** A node opened a stream. */
  accept(stream: MasterStream): StreamHandler {
    return helloFirst<NodeSession>({
      greet: (hello) => this.greet(stream, hello),
      take: (session, message) => this.take(session, message),
      depart: (session) => this.depart(session),
      failed: (error, session) => {
        if (isError(error, "stale_epoch")) this.context.deposed();
        this.context.logger.warn({ error, nodeId: session?.nodeId }, "closing a node's stream");
        stream.close();
      },
    });
  }

  /** Watches for nodes that have gone, until the mastership ends. */
  async run(): Promise<void> {
    const { ended, clock } = this.context;
    while (!ended.aborted) {
      this.tick();
      await sleep(clock, CHECK_MS, ended);
    }
  }

  tick(): void {
    const now = this.context.clock.monotonic();
    for (const session of this.nodes.all()) {
      if (now >= goneAt(session.heardAt, this.context.settings.leaseMs)) {
        this.context.logger.warn({ nodeId: session.nodeId }, "node has been silent for its lease");
        session.close();
        this.depart(session);
      }
    }
    this.absent.tick();
  }

  /** Ends all streams, so that the nodes look for the next master. */
  close(): void {
    for (const session of this.nodes.all()) session.close();
    this.nodes.clear();
  }

  /** The stop of a claim is to be told to its node. */
  abort(jobId: number, claim: number): void {
    for (const session of this.nodes.all()) {
      if (session.claims.get(jobId) !== claim) continue;
      session.verdicts([create(ClaimVerdictSchema, { jobId, claim, verdict: Verdict.ABORT })]);
    }
  }

  private async greet(stream: MasterStream, hello: Hello): Promise<NodeSession> {
    const { clock, time, settings, epoch } = this.context;
    const number = await this.numbers.of(hello.incarnation, hello.nodeId);
    const session = new NodeSession(stream, hello, number, clock.monotonic());
    // What the node should hold, as far as this master knows.
    const older = this.nodes.of(hello.incarnation);
    older?.close();
    const expected = new Map([...this.absent.back(number), ...(older?.claims ?? [])]);
    this.nodes.add(session, this.classes.all());
    // Before the database is asked: a page that finds one of them meanwhile must not take it for lost,
    // and if this stream ends too soon, the next one has to account for all of them.
    for (const { jobId, claim } of [...claimsOf(expected), ...hello.claims]) {
      session.claims.set(jobId, Math.max(claim, session.claims.get(jobId) ?? 0));
    }
    session.welcome(epoch, time.now(), settings.leaseMs);
    try {
      await this.answerClaims(session, hello);
    } catch (error) {
      // It comes back with another stream, and lists its claims again.
      this.depart(session);
      throw error;
    }
    for (const { jobId, claim } of hello.claims) if (expected.get(jobId) === claim) expected.delete(jobId);
    for (const [jobId, claim] of expected) {
      if (session.claims.get(jobId) === claim) session.claims.delete(jobId);
    }
    this.loseAll(expected, "its node no longer holds it");
    this.context.logger.info(
      { nodeId: session.nodeId, address: session.address, slots: session.slots },
      "node joined",
    );
    void this.reach(session);
    this.changed();
    return session;
  }

  private async reach(session: NodeSession): Promise<void> {
    const answer = await this.network.identify(session.address, IDENTIFY_TIMEOUT_MS);
    session.isReachable = typeof answer === "object" && answer.incarnation === session.incarnation;
    if (session.isReachable || !session.isOpen) return;
    const { nodeId, address } = session;
    this.context.logger.warn(
      { nodeId, address, answer },
      "node is not reached at its address; check ADVERTISE_ADDRESS",
    );
  }

  /** Answers each claim that a node says it holds. */
  private async answerClaims(session: NodeSession, { claims }: Hello): Promise<void> {
    const { verdicts, running, over } = await judgeClaims(this.context.store, session.number, claims);
    for (const record of running) {
      this.memory.run(record, false);
      session.claims.set(record.id, record.claim);
    }
    for (const { jobId, claim } of over) {
      if (session.claims.get(jobId) === claim) session.claims.delete(jobId);
    }
    this.endings.settle(over);
    if (verdicts.length > 0) session.verdicts(verdicts);
  }

  private async take(session: NodeSession, { message }: GetJobRequest): Promise<void> {
    const { clock, time } = this.context;
    switch (message.case) {
      case "credit":
        session.credit(message.value);
        this.roomMade();
        return;
      case "ping": {
        const heardAt = clock.monotonic();
        if (!(await this.pingTrust.mayAnswer())) return;
        session.heardAt = heardAt;
        session.pong(message.value.sentAtMs, time.now());
        return;
      }
      case "done":
        this.done(session, message.value);
        return;
      default:
        throw new ElasticJobError(
          "invalid_argument",
          `message: ${message.case ?? "none"} is not expected here`,
        );
    }
  }

  /** Claims have their rows. Where the job's row says so too, memory follows without a look at the database. */
  private done(session: NodeSession, done: Done): void {
    const toSettle: ClaimRef[] = [];
    for (const claim of doneClaimsOf(done)) {
      const { jobId } = claim;
      if (session.claims.get(jobId) === claim.claim) session.claims.delete(jobId);
      const job = this.memory.queues.get(jobId);
      const isOurs = job?.place === "running" && job.record.claim === claim.claim;
      const status = STORED_STATUSES.get(claim.status);
      if (isOurs && claim.projected && status !== undefined && !this.inFlight.has(jobId)) {
        // Most jobs run once, and there is nothing left to do for them.
        if (status !== STORED_STATUS.WAITING) {
          this.memory.remove(jobId);
          continue;
        }
        const { at, scheduledAt, attempt, failures, lost, endedAt } = claim;
        const updateTime = this.context.time.now();
        const state = { status, at, scheduledAt, attempt, failures, lost, endedAt, updateTime };
        this.memory.place({ ...job.record, ...state }, job.payloadLoaded);
      } else {
        toSettle.push({ jobId, claim: claim.claim });
      }
    }
    this.endings.settle(toSettle);
    session.acknowledge(done.sequence);
    this.roomMade();
  }

  private depart(session: NodeSession): void {
    if (!this.nodes.remove(session)) return;
    session.close();
    this.context.logger.info({ nodeId: session.nodeId, claims: session.claims.size }, "node left");
    this.absent.left(session);
    this.changed();
  }

  private lose(record: JobRecord, reason: string): void {
    this.endings.lose([{ jobId: record.id, claim: record.claim }], reason);
  }

  private loseAll(claims: ReadonlyMap<number, number>, reason: string): void {
    this.endings.lose(claimsOf(claims), reason);
  }
}

function claimsOf(claims: ReadonlyMap<number, number>): ClaimRef[] {
  return [...claims].map(([jobId, claim]) => ({ jobId, claim }));
}
