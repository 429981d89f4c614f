/**
 * The streams of nodes: who is connected, and who has been silent for too long. A claim belongs to one stream of one
 * incarnation: it is LOST when that node says that it does not hold it, or is gone. Who holds it is `ClaimHolders`' to
 * know; here is known only who lives.
 */
import { create } from "@bufbuild/protobuf";
import type { MasterStream, Network, StreamHandler } from "../../coordination/network.ts";
import { sleep } from "../../core/clock.ts";
import { ElasticJobError, isError } from "../../core/errors.ts";
import type { JobRecord } from "../../core/job.ts";
import { goneAt } from "../../core/lease.ts";
import {
  ClaimVerdictSchema,
  type GetJobRequest,
  type Hello,
  Verdict,
} from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { MasterContext } from "../context.ts";
import type { Endings } from "../ending/endings.ts";
import type { ClaimHolders } from "../memory/claim-holders.ts";
import type { ClassRegistry } from "../memory/class-registry.ts";
import type { JobMemory } from "../memory/job-memory.ts";
import type { Pages } from "../memory/pages.ts";
import type { Turn } from "../memory/turn.ts";
import type { AbsentNodes } from "./absent-nodes.ts";
import type { ConnectedNodes } from "./connected-nodes.ts";
import { helloFirst } from "./hello-first.ts";
import type { KnownHandlers } from "./known-handlers.ts";
import { NodeAdmission } from "./node-admission.ts";
import type { NodeClaims } from "./node-claims.ts";
import type { NodeNumbers } from "./node-numbers.ts";
import { NodeSession } from "./node-session.ts";
import { PingTrust } from "./ping-trust.ts";
import { reachNode } from "./reach-node.ts";
import { StandingNews } from "./standing-news.ts";
import type { UnheardNodes } from "./unheard-nodes.ts";

const CHECK_MS = 100;
/** A node pings five times a lease: one that has been silent for this part of it is worth a note for the next master. */
const SILENT_PART = 3;

export interface NodeSessionsParts {
  readonly network: Network;
  readonly connected: ConnectedNodes;
  readonly absent: AbsentNodes;
  readonly numbers: NodeNumbers;
  readonly claims: NodeClaims;
  readonly holders: ClaimHolders;
  readonly memory: JobMemory;
  readonly classes: ClassRegistry;
  readonly pages: Pages;
  readonly endings: Endings;
  readonly turn: Turn;
  readonly unheard: UnheardNodes;
  readonly known: KnownHandlers;
}

export class NodeSessions {
  private readonly context: MasterContext;
  private readonly parts: NodeSessionsParts;
  private readonly admission: NodeAdmission;
  private readonly pingTrust: PingTrust;
  private readonly news: StandingNews;

  constructor(context: MasterContext, parts: NodeSessionsParts) {
    this.context = context;
    this.parts = parts;
    this.admission = new NodeAdmission(context, parts.numbers);
    this.pingTrust = new PingTrust(context);
    this.news = new StandingNews(context);
    parts.holders.onUnknown((record, isHeld) => this.resolve(record, isHeld));
  }

  /** A node opened a stream. */
  accept(stream: MasterStream): StreamHandler {
    // Before its hello is answered, which takes the database.
    this.news.greet(stream);
    return helloFirst<NodeSession>({
      greet: (hello) => this.greet(stream, hello),
      take: (session, message) => this.take(session, message),
      depart: (session) => this.depart(session),
      failed: (error, session) => {
        if (isError(error, "stale_epoch")) this.context.deposed();
        if (!isError(error, "failed_precondition")) {
          this.context.logger.warn({ error, nodeId: session?.nodeId }, "closing a node's stream");
          return stream.close();
        }
        this.admission.refuse(stream, error.message);
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
    const { leaseMs } = this.context.settings;
    for (const session of this.parts.connected.all()) {
      if (now >= session.heardAt + leaseMs / SILENT_PART)
        this.parts.unheard.note(session.number, session.heardAt);
      if (now >= goneAt(session.heardAt, leaseMs)) {
        this.context.logger.warn({ nodeId: session.nodeId }, "node has been silent for its lease");
        session.close();
        this.depart(session);
      }
    }
    this.parts.absent.tick();
    this.news.tick(this.parts.connected.all());
  }

  /** Ends all streams, so that the nodes look for the next master. */
  close(): void {
    for (const session of this.parts.connected.all()) session.close();
    this.parts.connected.clear();
  }

  /** Tells the node that holds the claim of a job to stop its handler. */
  abort(record: JobRecord): void {
    const holder = this.parts.holders.holderOf(record);
    const session = holder === null ? undefined : this.parts.connected.numbered(holder);
    const { id: jobId, claim } = record;
    session?.verdicts([create(ClaimVerdictSchema, { jobId, claim, verdict: Verdict.ABORT })]);
  }

  /** A job runs, as the database says, and memory did not know. Its node may still come and speak for it. */
  private resolve(record: JobRecord, isHeld: boolean): void {
    const { memory, connected, absent, holders, endings } = this.parts;
    const { id: jobId, claim, node } = record;
    memory.run(record, false);
    if (isHeld) return;
    if (connected.numbered(node) !== undefined) {
      // The node is here, and its hello did not list the claim.
      endings.lose([{ jobId, claim }], "its node no longer holds it");
      return;
    }
    holders.give(node, jobId, claim);
    absent.expect(node);
  }

  private async greet(stream: MasterStream, hello: Hello): Promise<NodeSession> {
    const { clock, time, settings, epoch, logger } = this.context;
    const { connected, absent, claims, classes } = this.parts;
    const number = await this.admission.admit(hello);
    if (!(await this.parts.unheard.withdraw(number))) {
      throw new ElasticJobError("unavailable", "the database does not answer");
    }
    const session = new NodeSession(stream, hello, number, clock.monotonic());
    connected.of(hello.incarnation)?.close();
    absent.isBack(number);
    connected.add(session, classes.all());
    this.parts.known.offered(session);
    const expected = claims.takeDown(session, hello);
    session.welcome(epoch, time.now(), settings.leaseMs);
    this.news.greet(session);
    try {
      await claims.answer(session, hello, expected);
    } catch (error) {
      // It comes back with another stream, and lists its claims again.
      this.depart(session);
      throw error;
    }
    const { nodeId, incarnation, address, slots } = session;
    logger.info({ nodeId, incarnation, address, slots }, "node joined");
    void reachNode(this.context, this.parts.network, session);
    this.nodesChanged();
    return session;
  }

  private async take(session: NodeSession, { message }: GetJobRequest): Promise<void> {
    const { clock, time } = this.context;
    switch (message.case) {
      case "credit":
        session.credit(message.value);
        this.parts.turn.ask();
        return;
      case "ping": {
        const heardAt = clock.monotonic();
        if (!(await this.pingTrust.mayAnswer())) return;
        if (!(await this.parts.unheard.withdraw(session.number))) return;
        session.heardAt = heardAt;
        session.pong(message.value.sentAtMs, time.now());
        return;
      }
      case "done":
        this.parts.claims.done(session, message.value);
        this.parts.turn.ask();
        return;
      default:
        throw new ElasticJobError(
          "invalid_argument",
          `message: ${message.case ?? "none"} is not expected here`,
        );
    }
  }

  private depart(session: NodeSession): void {
    const { connected, absent, holders } = this.parts;
    if (!connected.remove(session)) return;
    this.parts.known.left(session);
    session.close();
    this.context.logger.info(
      { nodeId: session.nodeId, claims: holders.of(session.number).size },
      "node left",
    );
    absent.left(session);
    this.nodesChanged();
  }

  private nodesChanged(): void {
    this.parts.pages.setPresent(this.parts.connected.presentClasses());
    this.parts.turn.ask();
  }
}
