/**
 * Puts the schedules of the node's module, once, when it has started: tried again until a master has answered, as a node starts
 * without one. Nothing waits for it, and a node that cannot put them runs jobs all the same.
 */
import { type Clock, sleep } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import {
  type PutJobSetRequest,
  type PutJobSetResponse,
  PutOutcome,
} from "../gen/elasticjob/v1/job_service_pb.ts";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

const COUNTED = [
  ["created", PutOutcome.CREATED],
  ["updated", PutOutcome.UPDATED],
  ["unchanged", PutOutcome.UNCHANGED],
  ["deleted", PutOutcome.DELETED],
] as const;

export interface SchedulePutting {
  readonly request: PutJobSetRequest;
  /** The module, for people. */
  readonly path: string;
  readonly put: (request: PutJobSetRequest, signal: AbortSignal) => Promise<PutJobSetResponse>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Resolves when they are put, or cannot be, or `signal` aborts. */
export async function putSchedules(
  { request, path, put, clock, logger }: SchedulePutting,
  signal: AbortSignal,
): Promise<void> {
  const { set } = request;
  for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      const response = await put(request, signal);
      tell(response, request, path, logger);
      if (!isToBeTriedAgain(response)) return;
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ path, set, error, againInMs: waitMs }, "the schedules are not put yet; trying again");
    }
    await sleep(clock, waitMs, signal);
  }
}

/** A master that has too much to do refuses for now. */
function isToBeTriedAgain({ outcomes }: PutJobSetResponse): boolean {
  return outcomes.some(
    ({ result }) => result.case === "failure" && result.value.code === "resource_exhausted",
  );
}

function tell(response: PutJobSetResponse, request: PutJobSetRequest, path: string, logger: Logger): void {
  const { set } = request;
  const generation = textOf(response.generation);
  if (response.applied === false) {
    const own = textOf(request.generation);
    const message =
      "the set of schedules is of a newer generation: these change nothing (SCHEDULES_GENERATION)";
    return logger.warn({ path, set, generation, own }, message);
  }
  for (const { name, result } of response.outcomes) {
    if (result.case !== "failure") continue;
    const { code, message } = result.value;
    logger.error({ path, set, schedule: name, code }, `the schedule ${name} is not put: ${message}`);
  }
  const counts = COUNTED.map(([word, outcome]) => [word, countOf(response, outcome)] as const);
  logger.info({ path, set, generation, ...Object.fromEntries(counts) }, "the schedules are put");
}

function countOf({ outcomes }: PutJobSetResponse, of: PutOutcome): number {
  return outcomes.filter(({ result }) => result.case === "put" && result.value.outcome === of).length;
}

function textOf(generation: bigint | undefined): string {
  return generation === undefined ? "none" : String(generation);
}
