/**
 * What handlers and their programs see of the node's environment: everything but our own secrets. What they are is told by their
 * names alone, because a name that is ours may be set though it is not in use.
 */
import { SETTINGS, type Setting } from "./settings.ts";

const SECRETS = Object.entries<Setting>(SETTINGS).flatMap(([name, { secret }]) =>
  secret === true ? [name] : [],
);
/** The token of commands, and what goes into the URLs of MySQL and Redis. */
const BELONGING = ["ELASTIC_JOB_TOKEN", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD", "REDIS_PASSWORD"];
/** The files that they can be read from are named by the same name and `_FILE`. */
const WITHHELD = new Set([...SECRETS, ...BELONGING].flatMap((name) => [name, `${name}_FILE`]));

export function handlerEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const left: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    // Windows takes names in any case.
    if (value !== undefined && !WITHHELD.has(name.toUpperCase())) left[name] = value;
  }
  return left;
}
