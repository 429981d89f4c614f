/**
 * The composition root: opens what a node needs, connects the parts, starts them in order and stops
 * them in the reverse one. Nothing imports it but the commands that start a process.
 */
import { availableParallelism, hostname, networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { openApiTokens } from "./config/api-tokens.ts";
import { clusterSecretsOf } from "./config/cluster-secret-file.ts";
import { settingSecrets } from "./config/setting-secrets.ts";
import { openTls } from "./config/tls-files.ts";
import { type Config, clusterHosts } from "./config.ts";
import { connectNode } from "./connect-node.ts";
import type { ClusterLock } from "./coordination/cluster-lock.ts";
import { openLocalLock } from "./coordination/local.ts";
import { useZoneData } from "./core/calendar/zone-segment.ts";
import { sleep } from "./core/clock.ts";
import { isError } from "./core/errors.ts";
import { Retried } from "./core/log/retried.ts";
import type { Logger } from "./core/logger.ts";
import { Links } from "./core/readiness/links.ts";
import { ReadinessLog } from "./core/readiness/readiness-log.ts";
import { checkSecretsFolder } from "./jobs/secret-files.ts";
import type { ShellSettings } from "./jobs/shell.ts";
import { findShellUser } from "./jobs/shell-user.ts";
import { memoryLimitBytes } from "./memory-limit.ts";
import { defaultNodeName } from "./node/default-name.ts";
import { ownSecrets } from "./node/own-secrets.ts";
import { processResources } from "./node/resources.ts";
import { startThreadPool } from "./node/thread-pool.ts";
import { trimHeap } from "./node/trim-heap.ts";
import { createNetwork } from "./rpc/forwarding/network.ts";
import { limitsFor } from "./rpc/limits.ts";
import { clusterSecrets } from "./rpc/proof/cluster-secrets.ts";
import { createRpcServer } from "./rpc/server/serve.ts";
import { putSchedules } from "./schedules/put-schedules.ts";
import { readSchedules } from "./schedules/read-schedules.ts";
import type { JobStore } from "./store/job-store.ts";
import { openMysqlStore, openSqliteStore } from "./store/open.ts";
import { systemClock, systemRandom } from "./system-clock.ts";
import { chooseZoneData } from "./zone-files.ts";

const RETRY_MS = 500;
const REDIS_COMMAND_TIMEOUT_MS = 1000;
/** More threads than this help no handler that waits, and each takes 10 MB or more. */
const MAX_THREADS = 8;
const CLOSE_GRACE_MS = 1000;
const READINESS_LOOK_MS = 500;
/** A node that nobody calls looks at its certificate so often, to say that it does not fit. */
const LOOK_AT_TLS_MS = 5_000;

export interface RunningNode {
  readonly port: number;
  /** `ip:port` where other nodes reach it. */
  readonly address: string;
  /** Resigns, drains, and closes everything. */
  stop(): Promise<void>;
}

export function openStore(config: Pick<Config, "mysqlUrl" | "dataDir">, logger?: Logger): JobStore {
  return config.mysqlUrl === null
    ? openSqliteStore({ path: join(config.dataDir, "elastic-job.db"), clock: systemClock })
    : openMysqlStore({ url: config.mysqlUrl, clock: systemClock, ...(logger !== undefined && { logger }) });
}

/** `signal`: gives up waiting for a database that is not there yet. */
export async function startNode(config: Config, logger: Logger, signal?: AbortSignal): Promise<RunningNode> {
  const clock = systemClock;
  const random = systemRandom;
  const incarnation = random.id();
  const isEmbedded = config.redisUrl === null;
  const closers: (() => Promise<unknown> | unknown)[] = [];
  const closeAll = async () => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const zoneData = chooseZoneData(config.zoneDir, logger);
    useZoneData(zoneData);
    const lock = await openLock(config, logger);
    closers.push(() => lock.close());
    const store = openStore(config, logger);
    closers.push(() => store.close());

    const handlersUrl =
      config.handlersPath === null ? null : pathToFileURL(resolve(config.handlersPath)).href;
    // One even without slots: it tells which handlers there are.
    const threads = Math.min(MAX_THREADS, availableParallelism(), Math.max(1, config.slots));
    const builtIn = {
      http: {
        allowedHosts: config.httpAllowedHosts,
        clusterHosts: clusterHosts(config),
        secretHosts: config.secretHosts,
      },
      shell: await shellSettings(config, logger),
      secretsFolder: config.secretsDir,
    };
    if (config.secretsDir !== null) checkSecretsFolder(config.secretsDir);
    const givenSecrets = clusterSecretsOf(config, logger);
    const tokens = openApiTokens(config, logger, clock.monotonic, givenSecrets);
    const secrets = clusterSecrets(givenSecrets, store);
    /** What the database has, once it has been read. */
    let madeSecrets: readonly string[] = [];
    const scrubber = ownSecrets(
      () => [
        ...settingSecrets(config),
        ...tokens().map(({ token }) => ["API_TOKENS", token] as const),
        ...[...givenSecrets(), ...madeSecrets].map((secret) => ["CLUSTER_SECRET", secret] as const),
      ],
      clock.monotonic,
    );
    const env = config.handlerEnvironment;
    const executors = await startThreadPool({ threads, handlersUrl, builtIn, env, scrubber, clock, logger });
    closers.push(() => executors.stop());
    const resources = processResources();
    closers.push(() => resources.stop());

    const limits = { ...limitsFor(memoryLimitBytes()), maxPayloadBytes: config.maxPayloadBytes };
    const modulePath = resolve(config.handlersPath ?? "");
    const schedules = readSchedules(`HANDLERS: ${modulePath}`, executors, {
      generation: config.schedulesGeneration,
      missing: config.schedulesMissing,
      limits,
    });

    const nodeId =
      config.nodeId ?? defaultNodeName({ host: hostname(), port: config.port, incarnation, isEmbedded });
    const credentials = { tokens, isOpen: config.openApi === "on" };
    let address = "";
    const calledBy = () => (address === "" ? null : (config.tlsServerName ?? hostOf(address)));
    const isCalledByTls = !isEmbedded && config.tlsPlain !== "dial";
    const tls = openTls(config, logger, clock, isCalledByTls ? calledBy : undefined);
    // One that has no certificate serves none, and so calls others as it is called.
    const portTls = config.tlsCertFile === null ? null : tls;
    if (portTls !== null && portTls.plain !== "off") {
      logger.warn(
        { plain: portTls.plain },
        "TLS_PLAIN: plaintext is answered as well; unset it once all nodes have TLS",
      );
    }
    const links = new Links(logger);
    const { elector, puller, whyNotReady } = connectNode({
      incarnation,
      nodeId,
      address: () => address,
      settings: {
        slots: config.slots,
        labels: config.labels,
        lockTtlMs: config.lockTtlMs,
        leaseMs: config.nodeLeaseMs,
        horizonMs: config.horizonMs,
        maxLost: config.maxLost,
        drainGraceMs: config.drainGraceMs,
        retention: config.retention,
        auditRetention: config.auditRetention,
        embedded: isEmbedded,
        zoneData: zoneData.version,
      },
      network: createNetwork({ clock, limits, asking: { incarnation, secrets }, tls: portTls, links }),
      links,
      lock,
      store,
      executors,
      resources,
      clock,
      random,
      logger,
    });
    const server = createRpcServer({
      role: elector,
      whyNotReady,
      store,
      clock,
      random,
      logger,
      identity: { incarnation, nodeId },
      address: () => address,
      limits,
      secrets,
      credentials,
      tls: portTls,
      links,
    });
    if (credentials.isOpen && credentials.tokens().length === 0) {
      logger.warn(
        { host: config.host },
        "OPEN_API=on without API_TOKENS: whoever reaches this node may add, change and run jobs",
      );
    }
    // Before the database is there: whoever probes this process sees that it lives, and what it waits for.
    const port = await server.listen(config.host, config.port);
    closers.push(() => server.close(CLOSE_GRACE_MS));
    address = config.advertiseAddress ?? `${ownHost(config.host)}:${port}`;
    const lookingAtTls = setInterval(() => tls?.certificates(), LOOK_AT_TLS_MS);
    closers.push(() => clearInterval(lookingAtTls));
    await migrateWhenThere(store, logger, signal);
    madeSecrets = await secrets.read();
    await trimHeap();
    elector.start();
    closers.push(() => elector.stop());

    puller.start();
    closers.push(() => puller.stop());
    // Not before: what a start waits for is told by the start.
    const readiness = new ReadinessLog(whyNotReady, logger);
    const looking = setInterval(() => readiness.tick(clock.monotonic()), READINESS_LOOK_MS);
    closers.push(() => clearInterval(looking));
    const { slots } = config;
    const zones = { timeZoneData: zoneData.version, timeZoneSource: zoneData.source };
    logger.info(
      { nodeId, incarnation, address, slots, handlers: executors.handlers, ...zones },
      "node is up",
    );
    if (schedules !== null) {
      const stopping = new AbortController();
      closers.push(() => stopping.abort());
      const putting = { request: schedules, path: modulePath, put: server.putJobSet, clock, logger };
      void putSchedules(putting, stopping.signal);
    }

    return {
      port,
      address,
      async stop() {
        // Another node takes over at once. A process alone stays master, for its own jobs to end under it.
        if (!isEmbedded) await elector.resign();
        await puller.leave();
        await closeAll();
        logger.info({ nodeId }, "node has stopped");
      },
    };
  } catch (error) {
    // What does not close must not hide why.
    const closed = new AbortController();
    await Promise.race([
      closeAll()
        .catch(() => {})
        .finally(() => closed.abort()),
      sleep(clock, CLOSE_GRACE_MS, closed.signal),
    ]);
    throw error;
  }
}

/** Throws `invalid_argument` when programs can't run as SHELL_USER says. */
async function shellSettings(config: Config, logger: Logger): Promise<ShellSettings | null> {
  if (config.shellHandler === "off") return null;
  if (config.shellUser === null) {
    logger.warn(
      {},
      "SHELL_SAME_USER=on: programs of the handler shell run as the node's own user, and can read its secrets",
    );
    return { user: null };
  }
  // The database in the folder holds the cluster's secret, and all payloads; the key proves the node to callers.
  const guarded = [
    ...(config.mysqlUrl === null ? [resolve(config.dataDir)] : []),
    ...(config.tlsKeyFile === null ? [] : [resolve(config.tlsKeyFile)]),
  ];
  return { user: await findShellUser(config.shellUser, guarded) };
}

async function openLock(config: Config, logger: Logger): Promise<ClusterLock> {
  const { redisUrl: url, clusterPrefix: prefix, lockTtlMs: ttlMs, dataDir } = config;
  if (url === null) return openLocalLock({ dataDir, ttlMs, clock: systemClock });
  // The largest package of all, 12 MB: a process alone does without.
  const { openRedisLock } = await import("./coordination/redis.ts");
  return openRedisLock({ url, prefix, ttlMs, commandTimeoutMs: REDIS_COMMAND_TIMEOUT_MS, logger });
}

/** Waits for a database that is not there yet, and says so. */
async function migrateWhenThere(store: JobStore, logger: Logger, signal?: AbortSignal): Promise<void> {
  const message = "the database does not answer yet; waiting for it (MYSQL_URL)";
  const retried = new Retried({ logger, clock: systemClock }, message);
  for (;;) {
    try {
      await store.migrate();
      return retried.succeeded();
    } catch (error) {
      if (!isError(error, "unavailable") || signal?.aborted) throw error;
      retried.failed(error);
      await sleep(systemClock, RETRY_MS, signal);
    }
  }
}

/** Of `host:port`, also of `[::1]:7070`. */
function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

/** The address at which other machines reach a server that listens on `host`. */
function ownHost(host: string): string {
  if (host !== "0.0.0.0" && host !== "::") return host.includes(":") ? `[${host}]` : host;
  for (const addresses of Object.values(networkInterfaces())) {
    const external = addresses?.find(({ family, internal }) => family === "IPv4" && !internal);
    if (external !== undefined) return external.address;
  }
  return "127.0.0.1";
}
