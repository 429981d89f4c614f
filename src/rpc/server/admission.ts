/**
 * Lets calls in, before anything is made of them: so many bytes at once, so many calls that last, and of requests that do
 * not come to their end, the latest. Nodes that call their master have room of their own, which callers cannot fill.
 */
import { type ContextKey, createContextKey } from "@connectrpc/connect";
import type { Clock } from "../../core/clock.ts";
import { LatestFew } from "../../core/flow/latest-few.ts";
import { JobService } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { NodeService } from "../../gen/elasticjob/v1/node_service_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as OlderReflection } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { NodeRequest, NodeResponse } from "../connection.ts";
import type { RpcLimits } from "../limits.ts";
import { CallBudget, type CallShare } from "./call-budget.ts";
import { isCall, pathOfUrl } from "./call-path.ts";
import { refuseForNow } from "./refuse.ts";

/** Calls of nodes at once: each has one that lasts, and seldom another. */
const MAX_NODE_CALLS = 2_000;

/** So many calls of a connection were put out by later ones: it is there for nothing else. */
const MAX_PUT_OUT = 50;

const { watchJob, streamAddJobs } = JobService.method;
const pathOf = (method: { readonly parent: { readonly typeName: string }; readonly name: string }) =>
  `/${method.parent.typeName}/${method.name}`;
const LASTING: ReadonlySet<string> = new Set([
  pathOf(watchJob),
  pathOf(streamAddJobs),
  pathOf(ServerReflection.method.serverReflectionInfo),
  pathOf(OlderReflection.method.serverReflectionInfo),
]);
/** Their requests have no end. */
const ENDLESS: ReadonlySet<string> = new Set([pathOf(streamAddJobs), pathOf(NodeService.method.getJob)]);
const NODES = `/${NodeService.typeName}/`;

export const CALL_SHARE: ContextKey<CallShare | null> = createContextKey<CallShare | null>(null, {
  description: "what a call has of the budget of all calls",
});

interface HalfOpen {
  cut(): void;
  putOut(): void;
}

export interface Admission {
  /** False: the call was refused, and answered. */
  admit(request: NodeRequest, response: NodeResponse): boolean;
  shareOf(request: NodeRequest): CallShare | null;
}

export function createAdmission(limits: RpcLimits, clock: Clock): Admission {
  const budget = new CallBudget(limits.budgetBytes);
  const shares = new WeakMap<NodeRequest, CallShare>();
  const halfOpen = new LatestFew<HalfOpen>(limits.maxHalfOpen, (call) => call.putOut());
  const putOutOf = new WeakMap<object, number>();
  let lasting = 0;
  let ofNodes = 0;

  /** A request of which not all comes in time, or that is put out by later ones, is cut off: nobody reads its answer. */
  function expectEnd(request: NodeRequest, response: NodeResponse): void {
    const call: HalfOpen = {
      cut: () => {
        if ("stream" in request) request.stream.destroy();
        else request.socket.destroy();
      },
      putOut: () => {
        const session = "stream" in request ? request.stream.session : undefined;
        const count = session === undefined ? 0 : (putOutOf.get(session) ?? 0) + 1;
        if (session !== undefined) putOutOf.set(session, count);
        if (count >= MAX_PUT_OUT) session?.destroy();
        else call.cut();
      },
    };
    // HTTP/1.1 has a limit of its own for this, and answers then.
    const cancel = "stream" in request ? clock.after(limits.requestMs, call.cut) : () => {};
    halfOpen.add(call);
    const over = () => {
      cancel();
      halfOpen.delete(call);
    };
    request.once("end", over);
    response.once("close", over);
  }

  return {
    admit(request, response) {
      if (!isCall(request)) return true;
      const path = pathOfUrl(request);
      const release: (() => void)[] = [];
      if (path.startsWith(NODES)) {
        if (ofNodes >= MAX_NODE_CALLS) {
          refuseForNow(request, response, `this node has ${ofNodes} calls of nodes under way; try again`);
          return false;
        }
        ofNodes++;
        release.push(() => ofNodes--);
      } else {
        if (LASTING.has(path) && lasting >= limits.maxStreams) {
          const message = `this node has ${lasting} watches and streams open, as many as its memory allows; try again, or at another node`;
          refuseForNow(request, response, message);
          return false;
        }
        const share = budget.enter();
        if (share === null) {
          const message =
            "this node has as many calls under way as its memory allows; try again, or at another node";
          refuseForNow(request, response, message);
          return false;
        }
        shares.set(request, share);
        release.push(() => share.end());
        if (LASTING.has(path)) {
          lasting++;
          release.push(() => lasting--);
        }
      }
      response.once("close", () => {
        for (const one of release) one();
      });
      if (request.method === "POST" && !ENDLESS.has(path)) expectEnd(request, response);
      return true;
    },
    shareOf: (request) => shares.get(request) ?? null,
  };
}
