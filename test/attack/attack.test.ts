import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AttackedCluster, startAttackedCluster } from "./attacked-cluster.ts";
import { ATTACKS } from "./attacks.ts";

describe("a cluster without any setting for it", { timeout: 90_000 }, () => {
  let cluster: AttackedCluster;
  beforeAll(async () => {
    cluster = await startAttackedCluster();
  });
  afterAll(() => cluster?.stop());

  test.each(ATTACKS.map((attack) => [attack.name, attack] as const))(
    "does not let strangers %s",
    async (_, attack) => {
      expect(await attack.run(cluster)).not.toBe("");
    },
  );
});
