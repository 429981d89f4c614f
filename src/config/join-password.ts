import { withRedisPassword } from "../coordination/redis/redis-url.ts";
import type { Problem } from "../core/errors.ts";
import { withMysqlPassword } from "../store/mysql/mysql-url.ts";

const JOIN = { MYSQL: withMysqlPassword, REDIS: withRedisPassword };

/** The URL with the password that was given beside it; what does not fit together goes to `problems`. */
export function joinPassword(
  server: keyof typeof JOIN,
  { url, password }: { readonly url: string | null; readonly password: string | null },
  problems: Problem[],
): string | null {
  // One that is not accepted is not there either, and has been told.
  if (!url || !password) return url;
  const joined = JOIN[server](url, password);
  if (joined !== null) return joined;
  const message = `is set, and ${server}_URL has a password as well; leave one of them out`;
  problems.push({ field: `${server}_PASSWORD`, message });
  return url;
}
