/**
 * The cluster's lock on Redis. Whatever Redis forgets or answers late, nothing wrong is written: that is
 * the database's epoch to prevent. Here it is enough that only the holder renews, releases and publishes,
 * which the scripts check where they write.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "../core/logger.ts";
import type { ClusterLock, MasterAddress, NodeAnnouncement } from "./cluster-lock.ts";
import { RedisConnection } from "./redis/connection.ts";
import {
  decodeAnnouncement,
  decodeMasterFields,
  decodeNode,
  encodeAnnouncement,
  encodeMasterFields,
  encodeNode,
  MASTER_FIELDS,
} from "./redis/encoding.ts";
import { readRedisTls } from "./redis/redis-tls.ts";
import { parseRedisUrl } from "./redis/redis-url.ts";
import * as scripts from "./redis/scripts.ts";

export interface RedisLockOptions {
  readonly url: string;
  /** Goes before every key, so that several clusters can share one Redis. */
  readonly prefix: string;
  readonly ttlMs: number;
  /** A command that is not answered within it fails as `unavailable`. */
  readonly commandTimeoutMs: number;
  readonly logger: Logger;
}

/** Throws when its URL names files that cannot be used. Connects in the background, for ever: until then, and whenever Redis is away, calls fail as `unavailable`. */
export function openRedisLock(options: RedisLockOptions): ClusterLock {
  const target = parseRedisUrl(options.url);
  const lockKey = `${options.prefix}cluster`;
  // The whole lock key is the hash tag, which puts all keys into the lock's slot of a Redis Cluster.
  const masterKey = `{${lockKey}}:master`;
  const idKey = `{${lockKey}}:id`;
  const nodePrefix = `{${lockKey}}:node:`;
  const indexKey = `{${lockKey}}:nodes`;
  // Channels know no databases: clusters in two databases of one server would hear each other.
  const channel = `${masterKey}@${target.kind === "cluster" ? 0 : target.database}`;
  const ttl = String(options.ttlMs);
  const listeners = new Set<(master: MasterAddress | null) => void>();
  const connection = new RedisConnection({
    target,
    tls: readRedisTls(target.tls),
    channel,
    commandTimeoutMs: options.commandTimeoutMs,
    logger: options.logger,
    onMessage: (message) => {
      const master = decodeAnnouncement(message);
      if (master === undefined) return;
      for (const listener of [...listeners]) listener(master);
    },
  });

  async function run(script: string, keys: readonly string[], args: readonly string[]): Promise<boolean> {
    const reply = await connection.send(lockKey, "EVAL", script, String(keys.length), ...keys, ...args);
    return reply === 1;
  }

  connection.open();
  return {
    async name() {
      await connection.send(lockKey, "SET", idKey, randomUUID(), "NX");
      return `${lockKey}@${String(await connection.send(lockKey, "GET", idKey))}`;
    },
    ttlMs: options.ttlMs,

    async holder() {
      const reply = await connection.send(lockKey, "GET", lockKey);
      return typeof reply === "string" ? reply : null;
    },
    async acquire(incarnation) {
      return (await connection.send(lockKey, "SET", lockKey, incarnation, "NX", "PX", ttl)) === "OK";
    },
    renew: (incarnation) => run(scripts.RENEW, [lockKey, masterKey], [incarnation, ttl]),
    release: (incarnation) =>
      run(scripts.RELEASE, [lockKey, masterKey], [incarnation, channel, encodeAnnouncement(null)]),

    publishMaster: (master) =>
      run(
        scripts.PUBLISH_MASTER,
        [lockKey, masterKey],
        [master.incarnation, channel, encodeAnnouncement(master), ...encodeMasterFields(master)],
      ),
    async readMaster() {
      return decodeMasterFields(await connection.send(lockKey, "HMGET", masterKey, ...MASTER_FIELDS));
    },
    onMaster(listener) {
      // A wrapper, so that a listener that was added twice is there twice.
      const added = (master: MasterAddress | null) => listener(master);
      listeners.add(added);
      return () => listeners.delete(added);
    },

    async announceNode(node, ttlMs) {
      const args = [node.nodeId, encodeNode(node), String(ttlMs)];
      await run(scripts.ANNOUNCE_NODE, [nodePrefix + node.nodeId, indexKey], args);
    },
    async withdrawNode(nodeId) {
      await run(scripts.WITHDRAW_NODE, [nodePrefix + nodeId, indexKey], [nodeId]);
    },
    async listNodes() {
      const reply = await connection.send(lockKey, "EVAL", scripts.LIST_NODES, "1", indexKey, nodePrefix);
      if (!Array.isArray(reply)) return [];
      return reply.flatMap((value): NodeAnnouncement[] => {
        const node = decodeNode(String(value));
        return node === undefined ? [] : [node];
      });
    },

    silence: () => connection.answers.silence(),

    async close() {
      listeners.clear();
      connection.close();
    },
  };
}
