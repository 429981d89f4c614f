/**
 * Brings a call to the master, wherever it is: here, at another node, or not elected yet. Waits out a
 * failover up to the caller's deadline, and repeats a call only when that is safe: when it certainly
 * was not run, or when running it twice does no more than running it once.
 *
 * A call that was forwarded once is never forwarded again: two nodes that each believe the other to
 * be master would send it around for ever.
 */
import type { CallOptions, ContextValues } from "@connectrpc/connect";
import { CALLER, FORWARDED } from "../../core/call-headers.ts";
import { callerText } from "../../core/callers/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { ElasticJobError } from "../../core/errors.ts";
import type { Role } from "../../master/election/role.ts";
import type { JobApi } from "../../master/job-api.ts";
import { callerIn } from "../call-caller.ts";
import { notRun } from "../error-codes.ts";
import { answerIn } from "../in-time.ts";
import type { RpcLimits } from "../limits.ts";
import { forwardFailure, lateAfter, localFailure } from "./call-failure.ts";
import type { Peer, Peers } from "./peers.ts";

/** What is known of a call apart from its message; a HandlerContext is one. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly timeoutMs: () => number | undefined;
  readonly requestHeader: Headers;
  readonly values: Pick<ContextValues, "get">;
}

export interface MasterCall<T> {
  readonly onMaster: (api: JobApi) => Promise<T> | T;
  readonly forward: (peer: Peer, options: CallOptions & { readonly headers: Headers }) => Promise<T>;
  /** Whether the call may be made again when nobody knows whether it was run. */
  readonly repeatable: boolean;
  /** Whether it is large enough to break a master: then it is sent to one more, if it seems to have broken one. */
  readonly mayBreak?: () => boolean;
}

/** Where the master is at a moment. */
export type MasterTarget =
  | { readonly kind: "here"; readonly api: JobApi }
  | { readonly kind: "there"; readonly peer: Peer };

export interface MasterCaller {
  call<T>(context: CallContext, call: MasterCall<T>): Promise<T>;
  /** Waits for a master until `deadline` (monotonic). */
  locate(context: CallContext, deadline: number): Promise<MasterTarget>;
  /** The headers of a call that this node forwards: they say whose it is. */
  forwardHeaders(context: CallContext): Headers;
  /** Before trying again: until the role changes, or `ms` have passed. */
  pause(context: CallContext, ms: number): Promise<void>;
}

const FIRST_PAUSE_MS = 20;
const MOST_BROKEN = 2;
const LONGEST_PAUSE_MS = 500;

export function isForwarded(context: CallContext): boolean {
  return context.requestHeader.has(FORWARDED);
}

export function createMasterCaller(options: {
  readonly role: Role;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly limits: RpcLimits;
  /** This process's: a master takes the calls that it forwards only from one that shares its database. */
  readonly incarnation: string;
  /** Aborts when this node stops: nobody waits any longer. */
  readonly closing: AbortSignal;
}): MasterCaller {
  const { role, peers, clock, limits, incarnation, closing } = options;

  /** Until the role changes, `ms` have passed, or nobody needs the answer any more. */
  async function waitForChange(signal: AbortSignal, ms: number): Promise<void> {
    const enough = new AbortController();
    const cancel = clock.after(ms, () => enough.abort());
    try {
      await role.changed(AbortSignal.any([signal, closing, enough.signal]));
    } finally {
      cancel();
    }
  }

  async function locate(context: CallContext, deadline: number): Promise<MasterTarget> {
    for (;;) {
      context.signal.throwIfAborted();
      const now = role.now();
      if (now.kind === "master") {
        await refuseStranger(context, now.api);
        return { kind: "here", api: now.api };
      }
      if (isForwarded(context)) throw notRun("this node is not the master; it was taken for it, try again");
      if (now.kind === "follower") return { kind: "there", peer: peers.at(now.master.address) };
      const left = deadline - clock.monotonic();
      if (closing.aborted) throw notRun("this node is stopping; try another one");
      if (left <= 0)
        throw notRun("no master right now, and none was elected within the call's time; try again");
      await waitForChange(context.signal, left);
    }
  }

  const forwardHeaders = (context: CallContext) =>
    new Headers({ [FORWARDED]: incarnation, [CALLER]: callerText(callerIn(context)) });

  return {
    locate,
    forwardHeaders,
    pause: (context, ms) => waitForChange(context.signal, ms),
    async call(context, call) {
      const start = clock.monotonic();
      const timeoutMs = context.timeoutMs();
      const giveUpAt = start + Math.min(answerIn(timeoutMs) ?? limits.defaultWaitMs, limits.maxWaitMs);
      const cutAt = start + Math.min(answerIn(timeoutMs) ?? limits.maxWaitMs, limits.maxWaitMs);
      let pauseMs = FIRST_PAUSE_MS;
      let broken = 0;
      let link: string | null = null;
      for (;;) {
        const target = await locate(context, giveUpAt);
        try {
          if (target.kind === "here") return await call.onMaster(target.api);
          return await call.forward(target.peer, {
            signal: context.signal,
            timeoutMs: Math.max(1, Math.ceil(cutAt - clock.monotonic())),
            headers: forwardHeaders(context),
          });
        } catch (error) {
          context.signal.throwIfAborted();
          const failure = target.kind === "here" ? localFailure(error) : forwardFailure(error);
          link = failure.link ?? link;
          const last = () => (link === null ? failure.error : lateAfter(failure, link));
          const left = giveUpAt - clock.monotonic();
          const again = failure.certainlyNotRun || (failure.unavailable && call.repeatable);
          if (failure.broke && ++broken >= MOST_BROKEN && call.mayBreak?.()) throw last();
          if (!again || left <= 0 || isForwarded(context) || closing.aborted) throw last();
        }
        // A refused forward means that the role is out of date; it seldom is for long.
        await waitForChange(context.signal, Math.min(pauseMs, giveUpAt - clock.monotonic()));
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
    },
  };
}

/** Throws for a call that was forwarded by a node of another cluster: its job would go into the wrong database. */
async function refuseStranger(context: CallContext, api: JobApi): Promise<void> {
  const forwarder = context.requestHeader.get(FORWARDED);
  if (forwarder === null || (await api.sharesDatabase(forwarder))) return;
  throw new ElasticJobError(
    "failed_precondition",
    "the call was forwarded by a node that uses another database than this master: give each cluster that shares a Redis its own CLUSTER_PREFIX, and nodes of one cluster the same MYSQL_URL",
  );
}
