/**
 * Calls of a moment, gathered by who made them and what came of them: so what callers do at full speed, or try by the
 * million, is a few records. Callers choose where they come from, to a degree: beyond so many kinds of a moment
 * addresses no longer count, and beyond as many again names do not either.
 */
import type { Caller } from "../callers/caller.ts";
import { shorten } from "../short-text.ts";
import type { AuditRecord } from "./audit-record.ts";

export type GatheredCall = Omit<AuditRecord, "at" | "id" | "jobId" | "nodeId">;

export const SEVERAL_ADDRESSES = "several";
export const SEVERAL_CALLERS = "several callers";

/** Words of a record's detail, such as handlers; there may be more. */
const MOST_WORDS = 5;
const MOST_WORD_CHARACTERS = 40;

interface Kind {
  call: GatheredCall;
  readonly words: Set<string>;
}

export class GatheredCalls {
  readonly #mostKinds: number;
  readonly #kinds = new Map<string, Kind>();

  /** `mostKinds`: with addresses; so many again without, and a few more without names. */
  constructor(mostKinds: number) {
    this.#mostKinds = mostKinds;
  }

  get isEmpty(): boolean {
    return this.#kinds.size === 0;
  }

  /** `words`: what goes into the detail, each once. */
  add(call: Omit<GatheredCall, "detail">, words: Iterable<string> = []): void {
    const kind = this.#kindOf(call);
    kind.call = {
      ...kind.call,
      count: kind.call.count + call.count,
      firstJobId: lesser(kind.call.firstJobId, call.firstJobId),
      lastJobId: greater(kind.call.lastJobId, call.lastJobId),
    };
    for (const word of words) {
      if (kind.words.size > MOST_WORDS) break;
      kind.words.add(shorten(word, MOST_WORD_CHARACTERS));
    }
  }

  /** What was gathered, in the order in which each kind came first. It begins anew. */
  take(): GatheredCall[] {
    const taken = [...this.#kinds.values()].map(({ call, words }) => ({ ...call, detail: listed(words) }));
    this.#kinds.clear();
    return taken;
  }

  #kindOf(call: Omit<GatheredCall, "detail">): Kind {
    const { caller, method, outcome } = call;
    const withoutAddress = { name: caller.name, address: SEVERAL_ADDRESSES, forwardedFor: "" };
    return (
      this.#find(caller, call, this.#mostKinds) ??
      this.#find(withoutAddress, call, 2 * this.#mostKinds) ??
      // There are as many of these as methods and outcomes.
      this.#make({ ...withoutAddress, name: SEVERAL_CALLERS }, method, outcome)
    );
  }

  /** Null: it is not there, and there are `most` already. */
  #find(caller: Caller, { method, outcome }: Omit<GatheredCall, "detail">, most: number): Kind | null {
    const isThere = this.#kinds.has(keyOf(caller, method, outcome));
    return isThere || this.#kinds.size < most ? this.#make(caller, method, outcome) : null;
  }

  #make(caller: Caller, method: string, outcome: string): Kind {
    const key = keyOf(caller, method, outcome);
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    const nothing = { count: 0, firstJobId: null, lastJobId: null, detail: "" };
    const kind: Kind = { call: { ...nothing, caller, method, outcome }, words: new Set() };
    this.#kinds.set(key, kind);
    return kind;
  }
}

function keyOf({ name, address, forwardedFor }: Caller, method: string, outcome: string): string {
  return `${name}\n${address}\n${forwardedFor}\n${method}\n${outcome}`;
}

function listed(words: ReadonlySet<string>): string {
  const shown = [...words].slice(0, MOST_WORDS).join(", ");
  return words.size > MOST_WORDS ? `${shown} and others` : shown;
}

function lesser(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

function greater(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}
