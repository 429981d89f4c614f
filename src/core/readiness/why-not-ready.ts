/**
 * Whether an add would be answered now, and if not, why: in one sentence, which names who has not answered, and for how
 * long. It is the same for a probe, for operators, and in the error of a call that ran out of time.
 */
import { trustUntil } from "../lease.ts";
import { type Silence, sentenceOf } from "./silence.ts";

/** A sentence; null: an add would be answered now. */
export type WhyNotReady = () => string | null;

/** What is asked each second counts as gone after this, so that a fault is told within 3 s of its beginning. */
export const SILENT_MS = 2_000;
/** A server that answers, but does not renew the lock, was heard within this. */
const HEARD_MS = 1_000;
/** A lock that is not confirmed any more for this part of its TTL (about one renewal) is as good as lost. */
const LAST_PART_OF_TTL = 6;
/** A ping may be answered so late, on top of the time between two. */
const LATE_PING_MS = 800;

/** What a master knows of the servers that it needs. */
export interface MasterFacts {
  readonly lock: Silence;
  readonly store: Silence;
  readonly lockTtlMs: number;
  /** For how long it may act without another renewal; below 0: it may not. */
  readonly trustEndsInMs: number;
}

/** Who keeps a master from answering adds; null: it answers them. */
export function masterSilence({ lock, store, lockTtlMs, trustEndsInMs }: MasterFacts): Silence | null {
  if (trustEndsInMs < lockTtlMs / LAST_PART_OF_TTL) {
    if (lock.ms >= HEARD_MS) return lock;
    return { who: lock.who, how: "unconfirmed", ms: trustUntil(0, lockTtlMs) - trustEndsInMs };
  }
  return store.ms >= SILENT_MS ? store : null;
}

/** What a node knows of the master that it follows. */
export interface FollowerFacts {
  readonly master: string;
  /** When anything was last heard of it; null: this node has not turned to it yet. */
  readonly heardMsAgo: number | null;
  readonly pingEveryMs: number;
  /** What keeps the master from answering adds, as it says itself. */
  readonly told: Silence | null;
  /** Why no new connection to it can be made, as was last found; null: one can, as far as is known. */
  readonly unreached: string | null;
  /** Who holds the lock, and is no node of this cluster; null: no such. */
  readonly strangeHolder: string | null;
  /** Without it nobody takes the place of a master that is gone. */
  readonly lock: Silence;
}

export function whyFollowerIsNotReady(facts: FollowerFacts): string | null {
  const { heardMsAgo, pingEveryMs, told, unreached, strangeHolder, lock } = facts;
  const master = `master ${facts.master}`;
  if (unreached !== null) return unreached;
  if (heardMsAgo === null) return `this node has not joined ${master} yet`;
  if (heardMsAgo >= Math.max(SILENT_MS, pingEveryMs + LATE_PING_MS)) {
    // It has stepped down then, and is not to blame.
    if (strangeHolder !== null) return `no master: ${strangeHolder}`;
    const silent = sentenceOf({ who: master, how: "silent", ms: heardMsAgo });
    return lock.ms >= SILENT_MS ? `${silent}, and ${sentenceOf(lock)}` : silent;
  }
  return told === null ? null : `${sentenceOf(told)}, says ${master}`;
}

/** `vacancy`: what was last seen to be in the way of there being a master. */
export function whyNobodyIsMaster(facts: {
  readonly lock: Silence;
  readonly store: Silence;
  readonly vacancy: string;
}): string {
  const { lock, store, vacancy } = facts;
  // A server that refuses may have answered something else a moment ago.
  const silent = [lock, store].find(({ ms, how }) => ms >= SILENT_MS || how === "refused");
  return `no master: ${silent === undefined ? vacancy : sentenceOf(silent)}`;
}
