import { type ApiToken, operators } from "../core/callers/api-tokens.ts";
import type { Logger } from "../core/logger.ts";
import { openTokenFile } from "./token-file.ts";

/** The tokens of callers as they are by now. Throws `invalid_argument` when their file is not accepted. */
export function openApiTokens(
  config: { readonly apiTokens: readonly string[]; readonly apiTokensFile: string | null },
  logger: Logger,
  now: () => number,
  clusterSecrets: () => readonly string[] = () => [],
): () => readonly ApiToken[] {
  const { apiTokens, apiTokensFile: file } = config;
  if (file === null) {
    const tokens = operators(apiTokens);
    return () => tokens;
  }
  return openTokenFile(
    file,
    { now, clusterSecrets },
    {
      changed: (names) => logger.info({ names }, "the tokens of callers have changed"),
      failed: (message) => logger.error({}, `${message}; the tokens that were there before go on`),
    },
  );
}
