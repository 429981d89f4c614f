import { type JobRecord, STORED_STATUS } from "../core/job.ts";
import type { HandlerRuns } from "./handler-runs.ts";
import type { TestNodes } from "./test-nodes.ts";
import type { VirtualTime } from "./virtual-clock.ts";
import type { WrittenRows } from "./written-rows.ts";

/** A job that has been due for so long, while nothing runs, cannot begin. */
const BEGIN_LIMIT_MS = 60_000;
const LOOK_AGAIN_MS = 1_000;
/** What runs longer is not waited for. */
const DAYS = 7;
const LIMIT_MS = DAYS * 86_400_000;

export interface SettleParts {
  readonly time: VirtualTime;
  readonly nodes: TestNodes;
  readonly rows: WrittenRows;
  readonly runs: HandlerRuns;
}

/** Has time pass until no handler runs and no job is due. */
export async function settle({ time, nodes, rows, runs }: SettleParts): Promise<void> {
  if (nodes.living.length === 0) throw new Error("settle: no node lives; restart one, or add one");
  const end = time.now + LIMIT_MS;
  while (time.now < end) {
    const isIdle = await time.runUntil(() => nodes.areIdle(), BEGIN_LIMIT_MS);
    await rows.read();
    const now = time.start + time.now;
    const due = [...rows.jobs.values()].find(
      ({ status, at }) => status === STORED_STATUS.WAITING && at <= now,
    );
    if (isIdle && due === undefined) return;
    if (due !== undefined && runs.size === 0 && due.at <= now - BEGIN_LIMIT_MS) {
      throw new Error(`settle: ${named(due)} is due and does not begin: ${await nodes.whyWaiting(due.id)}`);
    }
    if (isIdle) await time.advance(LOOK_AGAIN_MS);
  }
  const running = [...rows.jobs.values()]
    .filter(({ status }) => status === STORED_STATUS.RUNNING)
    .map(named)
    .join(", ");
  throw new Error(`settle: after ${DAYS} days of the cluster's time there still run ${running}`);
}

function named({ id, spec }: JobRecord): string {
  return `job ${id} ${JSON.stringify(spec.name)} (handler ${spec.handler})`;
}
