/** API_TOKENS_FILE: read at the start, and again when it has changed, so that tokens come and go without a restart. */
import { readFileSync } from "node:fs";
import { type ApiToken, parseTokenLines } from "../core/callers/api-tokens.ts";
import { ElasticJobError } from "../core/errors.ts";
import { errorWord, fileVersion } from "./file-version.ts";

/** So often at most a call looks whether it has changed. */
const LOOK_EVERY_MS = 1_000;

export interface TokenFileEvents {
  /** It has changed, and is taken. */
  readonly changed: (names: readonly string[]) => void;
  /** It has changed, and is not: what it said before goes on. */
  readonly failed: (message: string) => void;
}

/** Throws `invalid_argument` when it cannot be read, or says what is not accepted. The tokens as they are by now. */
export function openTokenFile(
  path: string,
  { now, clusterSecrets }: { now: () => number; clusterSecrets: () => readonly string[] },
  on: TokenFileEvents,
): () => readonly ApiToken[] {
  let seen = fileVersion(path);
  let tokens = readTokens(path, clusterSecrets());
  let lookedAt = now();
  return () => {
    if (now() - lookedAt < LOOK_EVERY_MS) return tokens;
    lookedAt = now();
    const version = fileVersion(path);
    if (version === seen) return tokens;
    // Also when it is refused: it is told once.
    seen = version;
    try {
      tokens = readTokens(path, clusterSecrets());
      // Also where it says again what it said before a fault: that it is accepted is news then.
      on.changed([...new Set(tokens.map(({ name }) => name))]);
    } catch (error) {
      on.failed(error instanceof Error ? error.message : String(error));
    }
    return tokens;
  };
}

function readTokens(path: string, clusterSecrets: readonly string[]): readonly ApiToken[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const message = `API_TOKENS_FILE: ${path} cannot be read (${errorWord(error)})`;
    throw new ElasticJobError("invalid_argument", message);
  }
  const { tokens, problems } = parseTokenLines(text, clusterSecrets);
  if (problems.length === 0) return tokens;
  const lines = problems.map(({ field, message }) => `${field} ${message}`).join("; ");
  throw new ElasticJobError("invalid_argument", `API_TOKENS_FILE: ${path}: ${lines}`);
}
