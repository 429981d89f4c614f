/**
 * Keeps one stream open to whoever is master: enters this process in the database first, then turns to each master in
 * its time. What is said on the stream is the puller's.
 */
import type { MasterAddress } from "../coordination/cluster-lock.ts";
import type { Network } from "../coordination/network.ts";
import { type Clock, sleep } from "../core/clock.ts";
import { Retried } from "../core/log/retried.ts";
import type { Logger } from "../core/logger.ts";
import type { GetJobResponse } from "../gen/elasticjob/v1/node_service_pb.ts";
import type { HeardMaster } from "./heard-master.ts";
import { MasterConnection } from "./master-connection.ts";
import type { Masters } from "./masters.ts";

const RECONNECT_MS = 50;
const ENTER_RETRY_MS = 500;
/** A hello that is not answered in this time goes to the next master there is. */
const WELCOME_TIMEOUT_MS = 5000;

export interface StreamToMasterParts {
  readonly masters: Masters;
  /** Enters this process in its database, so that a master finds it there; returns the identity of that database's cluster. */
  readonly enter: () => Promise<string>;
  readonly network: Network;
  readonly heard: HeardMaster;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface StreamEvents {
  /** What a new stream offers at first. */
  freeSlots(): number;
  /** It is open: its first message is due. */
  opened(connection: MasterConnection): void;
  message(connection: MasterConnection, message: GetJobResponse): void;
}

export class StreamToMaster {
  private readonly parts: StreamToMasterParts;
  private readonly on: StreamEvents;
  private readonly retried: Retried;
  private connection: MasterConnection | null = null;
  private toldRefusal = "";
  /** The identity of its database's cluster; null: this process is not entered there yet. */
  private cluster: string | null = null;

  constructor(parts: StreamToMasterParts, on: StreamEvents) {
    this.parts = parts;
    this.on = on;
    this.retried = new Retried(parts, "could not enter this node in the database; trying again");
  }

  /** Null: there is none. */
  get current(): MasterConnection | null {
    return this.connection;
  }

  /** Empty: not known yet. */
  get clusterIdentity(): string {
    return this.cluster ?? "";
  }

  /** Until the signal aborts. */
  async keep(signal: AbortSignal): Promise<void> {
    const { masters, clock } = this.parts;
    while (!signal.aborted) {
      if (!(await this.hasEntered(signal))) continue;
      const master = masters.current();
      if (master === null) {
        await masters.changed(signal);
        continue;
      }
      await this.use(master, signal);
      if (signal.aborted) return;
      masters.lost(master);
      await sleep(clock, RECONNECT_MS, signal);
    }
  }

  close(): void {
    this.connection?.close();
    this.connection = null;
  }

  /** Its master takes no node of this database. */
  refused(connection: MasterConnection, reason: string): void {
    // A database that was restored may have lost this process's row: it is entered anew before the next try.
    this.cluster = null;
    const { address, nodeId: master } = connection.master;
    const why = `the master at ${address} refuses this node: ${reason}`;
    // It is tried again every few seconds.
    if (why !== this.toldRefusal) this.parts.logger.error({ master, address }, why);
    this.toldRefusal = why;
    this.parts.masters.refused(connection.master, why);
    connection.close();
  }

  /** False: the database does not answer; a node that can write no results joins nobody. */
  private async hasEntered(signal: AbortSignal): Promise<boolean> {
    try {
      this.cluster ??= await this.parts.enter();
      this.retried.succeeded();
      return true;
    } catch (error) {
      this.retried.failed(error);
      await sleep(this.parts.clock, ENTER_RETRY_MS, signal);
      return false;
    }
  }

  /** Opens a stream, and returns when it has ended or another process is master. */
  private async use(master: MasterAddress, signal: AbortSignal): Promise<void> {
    const { network, masters, heard, clock, logger } = this.parts;
    const closed = new AbortController();
    heard.turnTo(master);
    const stream = network.openStream(master.address, {
      message: (message) => {
        if (!closed.signal.aborted) this.on.message(connection, message);
      },
      closed: (reason, isStranger = false) => {
        if (!closed.signal.aborted) {
          if (isStranger) masters.refused(master, reason);
          else logger.debug({ master: master.nodeId, reason }, "stream to the master ended");
        }
        closed.abort();
      },
    });
    const connection = new MasterConnection(stream, master, clock.monotonic(), this.on.freeSlots());
    this.connection = connection;
    this.on.opened(connection);
    const stopWaiting = clock.after(WELCOME_TIMEOUT_MS, () => {
      if (connection.nodeNumber === 0) closed.abort();
    });
    while (!closed.signal.aborted && !signal.aborted) {
      await masters.changed(AbortSignal.any([closed.signal, signal]));
      const current = masters.current();
      // The lock may be lost and won again by the same process: a new epoch needs a new hello.
      if (current !== null && (current.incarnation !== master.incarnation || current.epoch !== master.epoch))
        break;
    }
    closed.abort();
    stopWaiting();
    connection.close();
    if (this.connection === connection) this.connection = null;
  }
}
