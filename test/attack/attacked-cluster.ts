import { type FaultCluster, startFaultCluster } from "../faults/fault-cluster.ts";
import { freePort } from "../servers/free-port.ts";

/** A cluster that listens to all, without any setting that would protect it. Its `http` may call whatever is public, and one server of somebody's. */
export interface AttackedCluster extends FaultCluster {
  /** On 127.0.0.1 and 127.0.0.2, where nobody listens yet: stands for a host on the internet, which the sandbox of a test has not. */
  readonly outsidePort: number;
}

export async function startAttackedCluster(): Promise<AttackedCluster> {
  const outsidePort = await freePort();
  const cluster = await startFaultCluster({
    watchesRows: false,
    env: {
      HOST: "0.0.0.0",
      ADVERTISE_ADDRESS: "",
      HTTP_ALLOWED_HOSTS: `*,127.0.0.1:${outsidePort},127.0.0.2:${outsidePort}`,
    },
  });
  return Object.assign(cluster, { outsidePort });
}
