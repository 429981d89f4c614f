import { openApiTokens } from "../config/api-tokens.ts";
import type { Config } from "../config.ts";
import type { ApiToken } from "../core/callers/api-tokens.ts";
import { edgeOutput } from "./edge-output.ts";

/** The tokens of callers as they are by now. Throws `invalid_argument` when their file is not accepted. */
export function edgeTokens(config: Config): () => readonly ApiToken[] {
  return openApiTokens(config, edgeOutput, () => performance.now());
}
