/** What nodes are allowed to do in tests: what docs/operating.md says that they need, word for word. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "redis";

export const REDIS_USER = "elastic_job_test";
export const REDIS_PASSWORD = "a-password-for-tests";

const DOC = readFileSync(join(import.meta.dirname, "../../docs/operating.md"), "utf8");

export function documentedGrants(): { readonly nodeGrants: string; readonly migrateGrants: string } {
  const granted = (user: string) => {
    const [, grants] = new RegExp(`^GRANT ([A-Z, ]+) ON jobs\\.\\* TO '${user}'`, "m").exec(DOC) ?? [];
    if (grants === undefined) throw new Error(`docs/operating.md grants nothing to '${user}'`);
    return grants;
  };
  return { nodeGrants: granted("elastic_job"), migrateGrants: granted("elastic_job_migrate") };
}

/** Which keys, channels and commands. */
export function documentedRedisRules(): string {
  const [, rules] = /^ACL SETUSER elastic_job on >secret (.+)$/m.exec(DOC) ?? [];
  if (rules === undefined) throw new Error("docs/operating.md makes no Redis account");
  return rules;
}

/** The command that makes the documented Redis account, for all clusters whose prefix begins so. */
export function makeRedisUser(prefix: string, more: readonly string[] = []): string[] {
  const prefixed = documentedRedisRules()
    .split(" ")
    .map((rule) => rule.replace(/^([~&]\{?)cluster/, `$1${prefix}*cluster`));
  return ["ACL", "SETUSER", REDIS_USER, "reset", "on", `>${REDIS_PASSWORD}`, ...prefixed, ...more];
}

/** Vitest's global setup: the account of the shared Redis. Tests that need no servers are run without one. */
export default async function setup(): Promise<void> {
  const url = process.env["TEST_REDIS_URL"] ?? "";
  if (url === "") return;
  const client = createClient({ url });
  await client.connect();
  await client.sendCommand(makeRedisUser("test-"));
  await client.close();
}

/** Makes the account `node`, with the password `secret` and the rules of docs/operating.md, on a Redis of one's own; `more`: rules after those. */
export function letNodeIn(
  redis: { command(...words: string[]): Promise<unknown> },
  ...more: string[]
): Promise<unknown> {
  const rules = documentedRedisRules().split(" ");
  return redis.command("ACL", "SETUSER", "node", "reset", "on", ">secret", ...rules, ...more);
}
