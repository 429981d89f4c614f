/**
 * Asks the master, now and then, by the connection on which calls are forwarded: where that cannot be made, as a
 * certificate has ended meanwhile, this node is not to call itself ready only because its stream is older than that.
 */
import { type Clock, sleep } from "../../core/clock.ts";
import type { Role } from "../../master/election/role.ts";
import type { Peers } from "./peers.ts";

const EVERY_MS = 5_000;
const TIMEOUT_MS = 2_000;

export async function tryLink(
  {
    role,
    peers,
    clock,
    incarnation,
  }: {
    readonly role: Role;
    readonly peers: Peers;
    readonly clock: Clock;
    readonly incarnation: string;
  },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const now = role.now();
    if (now.kind === "follower") {
      // What came of it is told to `Links`; that the master is slow, or gone, is the stream's to find.
      await peers
        .at(now.master.address)
        .nodes.identify({ incarnation }, { timeoutMs: TIMEOUT_MS })
        .catch(() => {});
    }
    await sleep(clock, EVERY_MS, signal);
  }
}
