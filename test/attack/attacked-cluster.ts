import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FaultCluster, startFaultCluster } from "../faults/fault-cluster.ts";
import { freePort } from "../servers/free-port.ts";

/** As the secret `stripe`, which only api.stripe.com is to be sent. */
export const SECRET_OF_JOBS = "sk_live_of_the_attacked";

/** A cluster that listens to all, without any setting that would protect it, and runs programs as its own user. Its `http` may call whatever is public, and one server of somebody's. */
export interface AttackedCluster extends FaultCluster {
  /** On 127.0.0.1 and 127.0.0.2, where nobody listens yet: stands for a host on the internet, which the sandbox of a test has not. */
  readonly outsidePort: number;
  readonly secretsFolder: string;
}

export async function startAttackedCluster(): Promise<AttackedCluster> {
  const outsidePort = await freePort();
  const secrets = await mkdtemp(join(tmpdir(), "attacked-secrets-"));
  await writeFile(join(secrets, "stripe"), SECRET_OF_JOBS);
  const cluster = await startFaultCluster({
    watchesRows: false,
    env: {
      SECRETS_DIR: secrets,
      SECRET_HOSTS: "stripe=api.stripe.com",
      SHELL_HANDLER: "on",
      SHELL_SAME_USER: "on",
      HOST: "0.0.0.0",
      ADVERTISE_ADDRESS: "",
      HTTP_ALLOWED_HOSTS: `*,127.0.0.1:${outsidePort},127.0.0.2:${outsidePort}`,
    },
  });
  const { stop } = cluster;
  return Object.assign(cluster, {
    outsidePort,
    secretsFolder: secrets,
    async stop() {
      await stop();
      await rm(secrets, { recursive: true });
    },
  });
}
