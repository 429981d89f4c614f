import { mysqlUrl, redisUrl } from "./readers.ts";

/** The passwords in a process's settings, by the names of those. Tokens and the cluster's secret may come from files that change. */
export function settingSecrets({
  mysqlUrl: mysql,
  redisUrl: redis,
}: {
  readonly mysqlUrl: string | null;
  readonly redisUrl: string | null;
}): [name: string, value: string][] {
  const secretsIn = (name: string, reader: typeof mysqlUrl, url: string | null) =>
    url === null ? [] : (reader.secretsIn?.(url) ?? []).map((value): [string, string] => [name, value]);
  return [...secretsIn("MYSQL_PASSWORD", mysqlUrl, mysql), ...secretsIn("REDIS_PASSWORD", redisUrl, redis)];
}
