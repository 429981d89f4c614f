/** gRPC's standard health service. Of everybody and without a token, as the probes: it shows nothing of jobs or nodes. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { type Clock, sleep } from "../../core/clock.ts";
import { ElasticJobError, quote } from "../../core/errors.ts";
import type { WhyNotReady } from "../../core/readiness/why-not-ready.ts";
import { JobService } from "../../gen/elasticjob/v1/job_service_pb.ts";
import {
  type Health,
  type HealthCheckRequest,
  HealthCheckResponseSchema,
  HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/grpc/health/v1/health_pb.ts";
import { notRun } from "../error-codes.ts";

const LOOK_EVERY_MS = 250;
/** Nobody is asked for a token here, so there is a bound. */
const MAX_WATCHES = 100;

/** The process, which lives if it answers; and what callers want of it. */
const SERVICES = ["", JobService.typeName] as const;

export function createHealthService(options: {
  readonly whyNotReady: WhyNotReady;
  readonly clock: Clock;
  readonly closing: AbortSignal;
}): ServiceImpl<typeof Health> {
  const { whyNotReady, clock, closing } = options;
  let watches = 0;

  const statusOf = (service: string): Status => {
    if (service === "") return Status.SERVING;
    if (service !== JobService.typeName) return Status.SERVICE_UNKNOWN;
    return closing.aborted || whyNotReady() !== null ? Status.NOT_SERVING : Status.SERVING;
  };

  return {
    check({ service }: HealthCheckRequest) {
      const status = statusOf(service);
      if (status !== Status.SERVICE_UNKNOWN) return create(HealthCheckResponseSchema, { status });
      const known = `${JobService.typeName}, and the empty name for the node itself, are known`;
      throw new ElasticJobError("not_found", `service: there is no ${quote(service)}; ${known}`);
    },

    list() {
      const statuses = SERVICES.map((service) => [service, { status: statusOf(service) }] as const);
      return create(HealthListResponseSchema, { statuses: Object.fromEntries(statuses) });
    },

    async *watch({ service }: HealthCheckRequest, context: HandlerContext) {
      if (watches >= MAX_WATCHES) {
        const message = `${MAX_WATCHES} watch this node already; ask with Check instead`;
        throw new ConnectError(message, Code.ResourceExhausted);
      }
      watches++;
      const stop = AbortSignal.any([context.signal, closing]);
      try {
        let told: Status | null = null;
        while (!stop.aborted) {
          const status = statusOf(service);
          if (status !== told) yield create(HealthCheckResponseSchema, { status });
          told = status;
          await sleep(clock, LOOK_EVERY_MS, stop);
        }
        if (closing.aborted) throw notRun("this node is stopping");
      } finally {
        watches--;
      }
    },
  };
}
