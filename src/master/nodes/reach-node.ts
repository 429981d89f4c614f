/**
 * Whether a node answers at the address that it names: only then does a refusal there mean, later, that its process has
 * ended. One that does not is tried again, so that the log tells when it does.
 */
import type { Network } from "../../coordination/network.ts";
import { sleep } from "../../core/clock.ts";
import type { MasterContext } from "../context.ts";
import type { NodeSession } from "./node-session.ts";

const IDENTIFY_TIMEOUT_MS = 500;
const AGAIN_MS = 10_000;

export async function reachNode(
  { clock, ended, logger }: Pick<MasterContext, "clock" | "ended" | "logger">,
  network: Network,
  session: NodeSession,
): Promise<void> {
  const { nodeId, incarnation, address } = session;
  for (let told: string | null = null; ; ) {
    const problem = { why: "" };
    const answer = await network.identify(address, IDENTIFY_TIMEOUT_MS, (why) => {
      problem.why = why;
    });
    if (!session.isOpen || ended.aborted) return;
    session.isReachable = typeof answer === "object" && answer.incarnation === incarnation;
    if (session.isReachable) {
      if (told !== null) logger.info({ nodeId, address }, "node is reached at its address again");
      return;
    }
    if (problem.why !== told) {
      const { why } = problem;
      if (why === "") {
        const message = "node is not reached at its address; check ADVERTISE_ADDRESS";
        logger.warn({ nodeId, incarnation, address, answer }, message);
      } else {
        logger.warn({ nodeId, incarnation, address, why }, "node is not reached at its address");
      }
      told = why;
    }
    await sleep(clock, AGAIN_MS, ended);
    if (!session.isOpen || ended.aborted) return;
  }
}
