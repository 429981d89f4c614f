import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  PutJobSetRequestSchema,
  type PutJobSetResponse,
  PutJobSetResponseSchema,
  PutOutcome,
} from "../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { putSchedules } from "../../../src/schedules/put-schedules.ts";
import { settled } from "../../../src/testing/settled.ts";
import { ManualClock } from "../../fixtures/manual-clock.ts";
import { recordingLogger } from "../../fixtures/recording-logger.ts";

const REQUEST = create(PutJobSetRequestSchema, { set: "billing", generation: 4n });

function answer(outcomes: PutJobSetResponse["outcomes"] = []): PutJobSetResponse {
  return create(PutJobSetResponseSchema, { applied: true, generation: 4n, outcomes });
}

function failing(code: string): PutJobSetResponse {
  const failure = { case: "failure", value: { code, message: "priority: is 500" } } as const;
  return create(PutJobSetResponseSchema, { applied: true, outcomes: [{ name: "nightly", result: failure }] });
}

function putting(answers: readonly (PutJobSetResponse | Error)[]) {
  const clock = new ManualClock();
  const logger = recordingLogger();
  const stopping = new AbortController();
  const calledAt: number[] = [];
  const put = async () => {
    const next = answers[Math.min(calledAt.length, answers.length - 1)];
    calledAt.push(clock.monotonic());
    if (next === undefined || next instanceof Error) throw next ?? new Error("no answer");
    return next;
  };
  const done = putSchedules({ request: REQUEST, path: "/app/jobs.ts", put, clock, logger }, stopping.signal);
  return { clock, logger, stopping, calledAt, done };
}

test("tells how many were created, updated, left alone and deleted, with the file and the set", async () => {
  const { CREATED, UPDATED, UNCHANGED, DELETED } = PutOutcome;
  const outcomes = [CREATED, CREATED, UPDATED, UNCHANGED, DELETED].map(
    (outcome, index) => ({ name: `s${index}`, result: { case: "put", value: { outcome } } }) as const,
  );
  const response = create(PutJobSetResponseSchema, { applied: true, generation: 4n, outcomes });
  const { logger, done, calledAt } = putting([response]);
  await done;
  expect(calledAt).toEqual([0]);
  expect(logger.lines).toEqual([
    {
      level: "info",
      message: "the schedules are put",
      fields: {
        path: "/app/jobs.ts",
        set: "billing",
        generation: "4",
        created: 2,
        updated: 1,
        unchanged: 1,
        deleted: 1,
      },
    },
  ]);
});

test("tries again until it is answered, less and less often, twice a minute at least", async () => {
  const { clock, logger, done, calledAt } = putting([
    ...Array.from({ length: 9 }, () => new Error("no master")),
    answer(),
  ]);
  for (let seconds = 0; seconds < 300; seconds++) {
    await settled();
    clock.move(1000);
  }
  await done;
  const waits = calledAt.slice(1).map((at, index) => at - (calledAt[index] ?? 0));
  expect(waits).toEqual([1000, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  expect(logger.lines.map(({ level }) => level)).toEqual([
    ...Array.from({ length: 9 }, () => "warn"),
    "info",
  ]);
});

test("is answered where a newer generation is there: says which, and puts nothing again", async () => {
  const newer = create(PutJobSetResponseSchema, { applied: false, generation: 9n });
  const { logger, done, calledAt } = putting([newer]);
  await done;
  expect(calledAt).toHaveLength(1);
  expect(logger.lines).toMatchObject([
    { level: "warn", fields: { generation: "9", own: "4", set: "billing" } },
  ]);
});

test("tells each schedule that is not put, and tries again only where the master had too much to do", async () => {
  const refused = putting([failing("invalid_argument")]);
  await refused.done;
  expect(refused.calledAt).toHaveLength(1);
  expect(refused.logger.errors).toMatchObject([
    {
      message: "the schedule nightly is not put: priority: is 500",
      fields: { path: "/app/jobs.ts", schedule: "nightly", code: "invalid_argument" },
    },
  ]);
  const busy = putting([failing("resource_exhausted"), answer()]);
  await settled();
  busy.clock.move(1000);
  await busy.done;
  expect(busy.calledAt).toHaveLength(2);
});

test("stops with its node, in a call as in a wait", async () => {
  const { clock, stopping, done, calledAt } = putting([new Error("no master")]);
  await settled();
  stopping.abort();
  await done;
  clock.move(60_000);
  expect(calledAt).toHaveLength(1);
});
