/**
 * The handlers that any node has ever offered, and when one last did: a job for one of them is accepted while no node
 * offers it, as its workers are about to come back. Kept in the database, so that the next master knows them too; written when a node
 * brings a new name, when the last node that offers one goes, and every hour; forgotten after retention's time.
 */
import { isError } from "../../core/errors.ts";
import { Wakeup } from "../../core/flow/wakeup.ts";
import { isHandlerName, RUN_JOB } from "../../core/handler-name.ts";
import { Retried } from "../../core/log/retried.ts";
import type { HandlerRecord } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";
import type { ConnectedNodes } from "./connected-nodes.ts";
import type { NodeSession } from "./node-session.ts";

/** What nodes offer all the time is written so often, for the time being that it was last offered. */
const REFRESH_MS = 3_600_000;
const RETRY_MS = 5_000;
/** Nodes choose their names freely, so they need a bound. */
const MOST_HANDLERS = 10_000;

export class KnownHandlers {
  private readonly context: MasterContext;
  private readonly retried: Retried;
  private readonly nodes: ConnectedNodes;
  /** When each was last offered, in cluster time: at least. */
  private readonly lastOffered = new Map<string, number>();
  /** The same, as the database has it. */
  private readonly stored = new Map<string, number>();
  /** Names that are to be written. */
  private readonly dirty = new Set<string>();
  private readonly wakeup = new Wakeup();

  constructor(context: MasterContext, nodes: ConnectedNodes) {
    this.context = context;
    this.retried = new Retried(context, "could not note which handlers nodes offer; trying again");
    this.nodes = nodes;
  }

  async load(): Promise<void> {
    for (const { name, lastOffered } of await this.context.store.readHandlers()) {
      this.lastOffered.set(name, lastOffered);
      this.stored.set(name, lastOffered);
    }
  }

  names(): IterableIterator<string> {
    return this.lastOffered.keys();
  }

  /** When a node last offered it, or took whatever has no handler of its own; null: none has, as far as is known. */
  lastOfferedAt(handler: string): number | null {
    return this.lastOffered.get(handler) ?? this.lastOffered.get(RUN_JOB) ?? null;
  }

  /** Why a job of this handler waits, as long as no node comes that offers it; empty: one does. */
  whyNotOffered(handler: string): string {
    if (this.nodes.isEmpty) return "no node is connected";
    if (this.nodes.offers(handler)) return "";
    const none = `no connected node offers the handler "${handler}"`;
    const at = this.lastOfferedAt(handler);
    return at === null ? none : `${none}; it was last offered at ${new Date(at).toISOString()}`;
  }

  /** A node has come. */
  offered(session: NodeSession): void {
    this.note(session, (name) => !this.stored.has(name));
  }

  /** A node has gone. */
  left(session: NodeSession): void {
    this.note(session, (name) => !this.nodes.offers(name));
  }

  async run(): Promise<void> {
    const { ended, clock } = this.context;
    while (!ended.aborted) {
      try {
        await this.write();
        this.retried.succeeded();
      } catch (error) {
        if (isError(error, "stale_epoch")) return this.context.deposed();
        this.retried.failed(error);
      }
      // Without trust, nothing was written either.
      await this.wakeup.wait(clock, this.dirty.size > 0 ? RETRY_MS : REFRESH_MS, ended);
    }
  }

  /** Forgets those that nobody has offered since; returns how many. */
  async forget(before: number): Promise<number> {
    const old = [...this.lastOffered].filter(([name, at]) => at <= before && !this.nodes.offers(name));
    if (old.length === 0) return 0;
    const names = old.map(([name]) => name);
    await this.context.store.forgetHandlers(this.context.epoch, names, before);
    for (const name of names) {
      // A node may have come with it meanwhile.
      if ((this.lastOffered.get(name) ?? 0) > before) this.dirty.add(name);
      else this.lastOffered.delete(name);
      this.stored.delete(name);
    }
    if (this.dirty.size > 0) this.wakeup.wake();
    return names.length;
  }

  private note(session: NodeSession, isToBeWritten: (name: string) => boolean): void {
    const now = this.context.time.now();
    for (const name of offeredBy(session)) {
      if (!this.lastOffered.has(name) && this.lastOffered.size >= MOST_HANDLERS) continue;
      this.lastOffered.set(name, now);
      if (isToBeWritten(name)) this.dirty.add(name);
    }
    if (this.dirty.size > 0) this.wakeup.wake();
  }

  private async write(): Promise<void> {
    const { store, epoch, time, trusted } = this.context;
    const now = time.now();
    for (const session of this.nodes.all()) {
      for (const name of offeredBy(session)) {
        if (now - (this.stored.get(name) ?? now) < REFRESH_MS) continue;
        this.lastOffered.set(name, now);
        this.dirty.add(name);
      }
    }
    if (this.dirty.size === 0 || !trusted()) return;
    const records: HandlerRecord[] = [...this.dirty].map((name) => ({
      name,
      lastOffered: this.lastOffered.get(name) ?? now,
    }));
    await store.noteHandlers(epoch, records);
    for (const { name, lastOffered } of records) {
      this.stored.set(name, lastOffered);
      if (this.lastOffered.get(name) === lastOffered) this.dirty.delete(name);
    }
  }
}

/** Other names are of no use: no job can be added for them. */
function offeredBy({ handlers, runJob }: NodeSession): string[] {
  const names = [...handlers].filter(isHandlerName);
  return runJob ? [...names, RUN_JOB] : names;
}
