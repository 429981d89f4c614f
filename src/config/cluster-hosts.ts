/** The names and addresses of the cluster's servers, as the settings have them: of MySQL, Redis, and this node. */
import { parseRedisUrl, type RedisHost } from "../coordination/redis/redis-url.ts";
import { parseMysqlUrl } from "../store/mysql/mysql-url.ts";

export interface ClusterSettings {
  readonly mysqlUrl: string | null;
  readonly redisUrl: string | null;
  readonly advertiseAddress: string | null;
}

export function clusterHosts({ mysqlUrl, redisUrl, advertiseAddress }: ClusterSettings): string[] {
  return [
    ...(mysqlUrl === null ? [] : [parseMysqlUrl(mysqlUrl).host]),
    ...(redisUrl === null ? [] : redisHosts(redisUrl).map(({ host }) => host)),
    ...(advertiseAddress === null ? [] : [advertiseAddress.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")]),
  ];
}

function redisHosts(url: string): readonly RedisHost[] {
  const target = parseRedisUrl(url);
  switch (target.kind) {
    case "single":
      return [target.server];
    case "cluster":
      return target.roots;
    case "sentinel":
      return target.sentinels;
  }
}
