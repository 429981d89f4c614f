import { openApiTokens } from "../config/api-tokens.ts";
import type { Config } from "../config.ts";
import type { ApiToken } from "../core/callers/api-tokens.ts";
import type { Logger } from "../core/logger.ts";

/** An edge has no log but its output. */
export const output: Logger = {
  debug() {},
  info: (fields: object, message: string) => console.log(message, JSON.stringify(fields)),
  warn: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
};

/** The tokens of callers as they are by now. Throws `invalid_argument` when their file is not accepted. */
export function edgeTokens(config: Config): () => readonly ApiToken[] {
  return openApiTokens(config, output, () => performance.now());
}
