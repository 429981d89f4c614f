import { expect, test } from "vitest";
import { clusterSecretsOf } from "../../../src/config/cluster-secret-file.ts";
import { recordingLogger } from "../../fixtures/recording-logger.ts";

const OLD = "the-old-secret-of-all";
const NEW = "the-new-secret-of-all";

test("the secret between nodes is read again, and one that is not accepted leaves the one before, and is told once", () => {
  const logger = recordingLogger();
  let text: string | null = OLD;
  const secrets = clusterSecretsOf(
    { clusterSecrets: [OLD], clusterSecretFile: "/run/secret" },
    logger,
    (path) => {
      expect(path).toBe("/run/secret");
      if (text === null) throw Object.assign(new Error("gone"), { code: "ENOENT" });
      return text;
    },
  );
  expect(secrets()).toEqual([OLD]);
  text = `${NEW},${OLD}\n`;
  expect(secrets()).toEqual([NEW, OLD]);
  for (const wrong of [null, "", "short", "with space in it 0123"]) {
    text = wrong;
    expect([secrets(), secrets()]).toEqual([
      [NEW, OLD],
      [NEW, OLD],
    ]);
  }
  text = `${NEW},${OLD}`;
  expect([secrets(), secrets()]).toHaveLength(2);
  expect(logger.lines.at(-1)).toMatchObject({
    level: "info",
    message: "CLUSTER_SECRET_FILE is accepted again",
  });
  text = NEW;
  expect(secrets()).toEqual([NEW]);
  expect(logger.lines.map(({ level }) => level)).toEqual(["info", "error", "error", "error", "info", "info"]);
  expect(JSON.stringify(logger.lines)).not.toContain("-secret-of-all");
});

test("secrets of the environment stay as they are", () => {
  const secrets = clusterSecretsOf({ clusterSecrets: [OLD], clusterSecretFile: null }, recordingLogger());
  expect(secrets()).toEqual([OLD]);
});
