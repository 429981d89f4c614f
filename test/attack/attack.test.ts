import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FaultCluster, startFaultCluster } from "../faults/fault-cluster.ts";
import { ATTACKS } from "./attacks.ts";

describe("a cluster without any setting for it", { timeout: 90_000 }, () => {
  let cluster: FaultCluster;
  beforeAll(async () => {
    cluster = await startFaultCluster({
      watchesRows: false,
      env: { HOST: "0.0.0.0", ADVERTISE_ADDRESS: "" },
    });
  });
  afterAll(() => cluster?.stop());

  test.each(ATTACKS.map((attack) => [attack.name, attack] as const))(
    "does not let strangers %s",
    async (_, attack) => {
      expect(await attack.run(cluster)).not.toBe("");
    },
  );
});
