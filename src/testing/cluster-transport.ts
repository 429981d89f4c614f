/** How the test calls the cluster: at the first node that lives, as an edge does; and time passes for it. */
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { HandlerRuns } from "./handler-runs.ts";
import { each, type NodeDoor } from "./node-door.ts";
import type { TimeDriver } from "./time-driver.ts";

export interface ClusterTransportParts {
  /** Null: no node lives. */
  readonly door: () => NodeDoor | null;
  readonly driver: TimeDriver;
  readonly runs: HandlerRuns;
}

export function createClusterTransport({ door, driver, runs }: ClusterTransportParts): Transport {
  const openDoor = (): Transport => {
    const found = door();
    if (found !== null) return found.transport;
    throw new ConnectError("no node lives; restart one, or add one", Code.FailedPrecondition);
  };
  const message = <T>(ask: () => Promise<T>) => runs.waiting(runs.outside(() => driver.message(ask())));
  return {
    async unary(...call) {
      const answer = runs.outside(() => openDoor().unary(...call));
      return runs.calling(runs.outside(() => driver.answer(answer)));
    },
    async stream(...call) {
      const response = await message(() => openDoor().stream(...call));
      return { ...response, message: each(response.message, message) };
    },
  };
}
