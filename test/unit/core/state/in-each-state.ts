import { farEnd, type JobRecord, NEVER, STORED_STATUS } from "../../../../src/core/job.ts";
import type { State } from "../../../../src/core/state/transitions.ts";
import { NOW, recordOf, specOf } from "../../../fixtures/job-fixture.ts";

const { RUNNING, PAUSED, SUCCEEDED, FAILED, CANCELLED } = STORED_STATUS;
const paused = specOf({ isPausing: true });

/** A job in each state at `NOW`. */
export const IN_STATE: Readonly<Record<State, JobRecord>> = {
  waiting: recordOf({ at: NOW + 1000, scheduledAt: NOW + 1000 }),
  prepared: recordOf(),
  retrying: recordOf({ at: NOW + 1000, attempt: 2, failures: 2, claim: 2 }),
  running: recordOf({ status: RUNNING, claim: 1, attempt: 1, node: 3 }),
  pausing: recordOf({ status: RUNNING, claim: 1, attempt: 1, node: 3, spec: paused }),
  paused: recordOf({ status: PAUSED, at: NEVER, spec: paused }),
  succeeded: recordOf({ status: SUCCEEDED, at: farEnd(NOW), claim: 1, attempt: 1 }),
  failed: recordOf({ status: FAILED, at: farEnd(NOW), claim: 1, attempt: 1, failures: 1 }),
  cancelled: recordOf({ status: CANCELLED, at: farEnd(NOW), claim: 1 }),
};
