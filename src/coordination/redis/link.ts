/** One open set of connections to Redis, however it is deployed. */
import type { ConnectionOptions } from "node:tls";
import {
  createClient,
  createCluster,
  createSentinel,
  type RedisClientOptions,
  type RedisClusterOptions,
  type RedisSentinelOptions,
} from "redis";
import type { RedisTarget } from "./redis-url.ts";

export interface RedisLink {
  /** Rejects when it cannot be reached; a single server is tried for ever. */
  connect(): Promise<void>;
  /** `key` says which server of a Redis Cluster is meant. Never queued while there is no connection. */
  send(key: string, args: readonly string[]): Promise<unknown>;
  /** Listens on a connection of its own, which subscribes again after each reconnect. */
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  destroy(): void;
}

export interface LinkOptions {
  /** null: in the clear. */
  readonly tls: ConnectionOptions | null;
  readonly commandTimeoutMs: number;
  readonly onError: (error: unknown) => void;
}

const MAX_RECONNECT_DELAY_MS = 1_000;
const MAX_QUEUED_COMMANDS = 1_000;

export function createLink(target: RedisTarget, options: LinkOptions): RedisLink {
  if (target.kind === "single") return createSingle(target, options);
  return target.kind === "cluster" ? createClusterLink(target, options) : createSentinelLink(target, options);
}

type Target<Kind extends RedisTarget["kind"]> = RedisTarget & { readonly kind: Kind };

function createSingle(target: Target<"single">, { commandTimeoutMs, tls, onError }: LinkOptions): RedisLink {
  const socket = { ...target.server, ...common(commandTimeoutMs, target, tls).socket };
  const settings = {
    ...common(commandTimeoutMs, target, tls),
    database: target.database,
    // Rejects a command that waits too long to be sent; one that waits for its reply is the caller's to time.
    commandOptions: { timeout: commandTimeoutMs },
    socket,
  };
  const client = createClient(settings);
  const subscriber = createClient(settings);
  client.on("error", onError);
  subscriber.on("error", onError);
  return {
    connect: async () => {
      await Promise.all([client.connect(), subscriber.connect()]);
    },
    send: (_key, args) => client.sendCommand([...args]),
    subscribe: (channel, listener) => subscriber.subscribe(channel, listener),
    destroy: () => {
      try {
        client.destroy();
      } finally {
        // One that is not open throws, and the other is to go all the same.
        subscriber.destroy();
      }
    },
  };
}

function createClusterLink(
  target: Target<"cluster">,
  { commandTimeoutMs, tls, onError }: LinkOptions,
): RedisLink {
  const defaults = common(commandTimeoutMs, target, tls);
  const cluster = createCluster({
    rootNodes: target.roots.map((root) => ({ socket: { ...root, ...defaults.socket } })),
    defaults,
    commandOptions: { timeout: commandTimeoutMs },
  } satisfies RedisClusterOptions);
  cluster.on("error", onError);
  return {
    connect: async () => {
      await cluster.connect();
    },
    send: (key, args) => cluster.sendCommand(key, false, [...args]),
    subscribe: (channel, listener) => cluster.subscribe(channel, listener),
    destroy: () => cluster.destroy(),
  };
}

function createSentinelLink(
  target: Target<"sentinel">,
  { commandTimeoutMs, tls, onError }: LinkOptions,
): RedisLink {
  const settings = common(commandTimeoutMs, target, tls);
  const sentinel = createSentinel({
    name: target.name,
    sentinelRootNodes: [...target.sentinels],
    nodeClientOptions: { ...settings, database: target.database },
    sentinelClientOptions: { ...target.sentinelCredentials, socket: settings.socket },
    commandOptions: { timeout: commandTimeoutMs },
    // Sentinels announce a failover; this finds one whose announcement was missed.
    scanInterval: 5_000,
    passthroughClientErrorEvents: true,
  } satisfies RedisSentinelOptions);
  sentinel.on("error", onError);
  return {
    connect: async () => {
      await sentinel.connect();
    },
    send: (_key, args) => sentinel.sendCommand(false, [...args]),
    subscribe: async (channel, listener) => {
      await sentinel.subscribe(channel, listener);
    },
    destroy: () => {
      sentinel.destroy().catch(onError);
    },
  };
}

function common(commandTimeoutMs: number, { credentials }: RedisTarget, tls: ConnectionOptions | null) {
  return {
    ...credentials,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_QUEUED_COMMANDS,
    socket: {
      connectTimeout: commandTimeoutMs,
      reconnectStrategy: (retries: number) =>
        Math.min(50 * 2 ** Math.min(retries, 10), MAX_RECONNECT_DELAY_MS),
      ...(tls !== null && { tls: true as const, ...tls }),
    },
  } satisfies RedisClientOptions;
}
