import { OneAtATime } from "../../core/flow/one-at-a-time.ts";

/** At most one write about a job, which its id names, is in flight: whoever wants the next one waits for the one before. */
export const InFlight = OneAtATime<number>;
export type InFlight = OneAtATime<number>;
