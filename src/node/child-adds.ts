/**
 * The jobs that the executions of a thread add. Each has a key that is made of the occurrence's, so that an attempt which
 * repeats what one before it has added finds those jobs, and adds nothing twice. The node brings them to the master.
 */
import { exactText } from "../core/json/exact-numbers.ts";
import type { AddOptions } from "../jobs/add-child.ts";
import type { AddAnswer, FromThread } from "./executor-messages.ts";

/** Of one execution: it is to wait for some before it adds more. */
const MOST_UNDER_WAY = 1_000;
/** With the occurrence's own key it is below what a job's key may have, also in four bytes each. */
const MOST_KEY_CHARACTERS = 40;

type AddMessage = Extract<FromThread, { kind: "add" }>;

/** Who adds. */
export interface Adder {
  readonly key: number;
  readonly jobId: string;
  readonly idempotencyKey: string;
}

interface Adds {
  /** Without a key of their own. */
  numbered: number;
  readonly underWay: Map<number, PromiseWithResolvers<string>>;
}

export class ChildAdds {
  readonly #send: (message: AddMessage) => void;
  readonly #adds = new Map<number, Adds>();
  #lastCall = 0;

  constructor(send: (message: AddMessage) => void) {
    this.#send = send;
  }

  /** For an execution that runs. */
  async add(adder: Adder, handler: string, payload: unknown, options: AddOptions = {}): Promise<string> {
    const adds = this.#adds.get(adder.key) ?? { numbered: 0, underWay: new Map() };
    this.#adds.set(adder.key, adds);
    const { key: ownKey, runAt, delay, ...rest } = options;
    // Counted before anything can go wrong, so that the next attempt counts the same.
    const name = ownKey === undefined ? `${++adds.numbered}` : `key/${checkedKey(ownKey)}`;
    if (adds.underWay.size >= MOST_UNDER_WAY) {
      throw new RangeError(`add: ${MOST_UNDER_WAY} are under way already; wait for some of them first`);
    }
    const request = exactText({
      ...rest,
      handler,
      payload,
      ...((runAt !== undefined || delay !== undefined) && { timed: { runAt, delay } }),
      parentId: adder.jobId,
      idempotencyKey: `${adder.idempotencyKey}/${name}`,
      // What another attempt computes may differ, as a time does: the first one counts.
      keyReuse: "KEY_REUSE_ANY_BODY",
    });
    const call = ++this.#lastCall;
    const answer = Promise.withResolvers<string>();
    adds.underWay.set(call, answer);
    this.#send({ kind: "add", key: adder.key, call, request: request ?? "" });
    return answer.promise;
  }

  answered(key: number, call: number, answer: AddAnswer): void {
    const adds = this.#adds.get(key);
    const waiting = adds?.underWay.get(call);
    adds?.underWay.delete(call);
    if ("jobId" in answer) waiting?.resolve(answer.jobId);
    else waiting?.reject(Object.assign(new Error(`add: ${answer.message}`), { code: answer.code }));
  }

  /** Its signal has aborted: nobody waits any longer. */
  aborted(key: number, reason: unknown): void {
    const adds = this.#adds.get(key);
    if (adds === undefined) return;
    for (const waiting of adds.underWay.values()) waiting.reject(reason);
    adds.underWay.clear();
  }

  ended(key: number): void {
    if (this.#adds.size === 0) return;
    this.aborted(key, new Error("add: the attempt is over"));
    this.#adds.delete(key);
  }
}

function checkedKey(key: unknown): string {
  if (typeof key === "string" && key.length > 0 && key.length <= MOST_KEY_CHARACTERS) return key;
  throw new RangeError(`add: key: 1 to ${MOST_KEY_CHARACTERS} characters are accepted`);
}
