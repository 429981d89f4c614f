/** The nodes that are connected, by the stream of each, and which of them can take jobs of which class. */
import { ElasticJobError, quote } from "../../core/errors.ts";
import type { JobClass } from "../../core/job.ts";
import { canTake } from "../../core/queues/placement.ts";
import { shorten } from "../../core/short-text.ts";
import type { NodeSession } from "./node-session.ts";

const MOST_LISTED_CHARACTERS = 300;
const MOST_HANDLERS = 10_000;

export class ConnectedNodes {
  private readonly byIncarnation = new Map<string, NodeSession>();
  /** Those that can take a class, as long as nothing of that changes: it is asked for each job. */
  private readonly byClass = new Map<number, NodeSession[]>();

  /** Whether some node offers a handler, as long as nothing of that changes: it is asked for each job, too. */
  private readonly byHandler = new Map<string, boolean>();
  private sortedHandlers: readonly string[] | null = null;

  get isEmpty(): boolean {
    return this.byIncarnation.size === 0;
  }

  /** Whether a node has this handler, or takes whatever has none of its own. */
  offers(handler: string): boolean {
    let isOffered = this.byHandler.get(handler);
    if (isOffered === undefined) {
      isOffered = this.all().some((node) => node.runJob || node.handlers.has(handler));
      // Callers choose names freely.
      if (this.byHandler.size >= MOST_HANDLERS) this.byHandler.clear();
      this.byHandler.set(handler, isOffered);
    }
    return isOffered;
  }

  /** All that are offered by name, sorted. */
  handlers(): readonly string[] {
    this.sortedHandlers ??= [...new Set(this.all().flatMap((node) => [...node.handlers]))].sort();
    return this.sortedHandlers;
  }

  all(): NodeSession[] {
    return [...this.byIncarnation.values()];
  }

  of(incarnation: string): NodeSession | undefined {
    return this.byIncarnation.get(incarnation);
  }

  /** The node of this number; undefined: it is not connected. */
  numbered(number: number): NodeSession | undefined {
    for (const session of this.byIncarnation.values()) if (session.number === number) return session;
    return undefined;
  }

  /** Those of one name; throws `not_found` when there is none. */
  named(nodeId: string): NodeSession[] {
    const named = this.all().filter((session) => session.nodeId === nodeId);
    if (named.length > 0) return named;
    const names = this.all().map((session) => session.nodeId);
    const connected = shorten(names.sort().join(", "), MOST_LISTED_CHARACTERS) || "none";
    throw new ElasticJobError(
      "not_found",
      `nodeId: no node ${quote(nodeId)} is connected (connected: ${connected})`,
    );
  }

  /** Those that can take jobs of a class. */
  candidates(classId: number): readonly NodeSession[] {
    let candidates = this.byClass.get(classId);
    if (candidates === undefined) {
      candidates = this.all().filter((session) => session.takes.has(classId));
      this.byClass.set(classId, candidates);
    }
    return candidates;
  }

  /** The classes that some node can take. */
  presentClasses(): Set<number> {
    return new Set(this.all().flatMap((session) => [...session.takes]));
  }

  /** A class was added: which nodes can take it? */
  classAdded(jobClass: JobClass): void {
    this.byClass.clear();
    for (const session of this.byIncarnation.values()) {
      if (canTake(session, jobClass)) session.takes.add(jobClass.id);
    }
  }

  /** In the place of an older stream of the same process, if there is one. `classes`: all that there are. */
  add(session: NodeSession, classes: Iterable<JobClass>): void {
    for (const jobClass of classes) {
      if (canTake(session, jobClass)) session.takes.add(jobClass.id);
    }
    this.byIncarnation.set(session.incarnation, session);
    this.changed();
  }

  /** False: it has gone already, or another stream has its place. */
  remove(session: NodeSession): boolean {
    if (this.byIncarnation.get(session.incarnation) !== session) return false;
    this.byIncarnation.delete(session.incarnation);
    this.changed();
    return true;
  }

  clear(): void {
    this.byIncarnation.clear();
    this.changed();
  }

  private changed(): void {
    this.byClass.clear();
    this.byHandler.clear();
    this.sortedHandlers = null;
  }
}
