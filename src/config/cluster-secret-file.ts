/** CLUSTER_SECRET_FILE: read for each connection between nodes, of which there are few, so that the secret is changed without a restart. */
import type { Logger } from "../core/logger.ts";
import { type ReadFile, readTextFile, secretText } from "./secret-text.ts";
import { SETTINGS } from "./settings.ts";

const NAME = "CLUSTER_SECRET";

/** The secrets as they are by now; of a file that says nothing that is accepted, those that it said before. */
export function clusterSecretsOf(
  config: { readonly clusterSecrets: readonly string[]; readonly clusterSecretFile: string | null },
  logger: Pick<Logger, "info" | "error">,
  readFile: ReadFile = readTextFile,
): () => readonly string[] {
  const { clusterSecretFile: file } = config;
  let secrets = config.clusterSecrets;
  let told = "";
  if (file === null) return () => secrets;
  return () => {
    const found = secretText({ [`${NAME}_FILE`]: file }, NAME, readFile);
    const parsed = "message" in found ? null : SETTINGS[NAME].schema.safeParse(found.text.trim());
    if (parsed?.success === true) {
      if (parsed.data.join() !== secrets.join()) {
        secrets = parsed.data;
        logger.info(
          { accepted: secrets.length },
          "the secret between nodes has changed (CLUSTER_SECRET_FILE)",
        );
      } else if (told !== "") {
        logger.info({}, "CLUSTER_SECRET_FILE is accepted again");
      }
      told = "";
      return secrets;
    }
    const why = "message" in found ? found.message : `it does not have ${SETTINGS[NAME].accepts}`;
    if (why !== told)
      logger.error({ why }, "CLUSTER_SECRET_FILE is not accepted; the secret that was there before goes on");
    told = why;
    return secrets;
  };
}
