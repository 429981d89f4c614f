/**
 * What handlers and their programs see of the node's environment: everything but our own secrets. What they are is told by their
 * names alone, because a name that is ours may be set though it is not in use.
 */
import { fileSetting } from "./secret-text.ts";
import { SECRET_VARIABLES } from "./settings.ts";

/** No settings of ours, but the token of commands, and what MySQL's container has beside a node's. */
const BELONGING = ["ELASTIC_JOB_TOKEN", "MYSQL_ROOT_PASSWORD"];
const WITHHELD = new Set([...SECRET_VARIABLES, ...BELONGING.flatMap((name) => [name, fileSetting(name)])]);

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
