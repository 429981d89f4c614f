/** The servers of a test run: those that were given, else private ones, whose programs it may install. */
import { MYSQL_PROGRAMS, startMysql } from "../test/servers/mysql.ts";
import { findProgram, type PrivateServer } from "../test/servers/private-server.ts";
import { REDIS_PROGRAMS, startRedis } from "../test/servers/redis.ts";
import { installPackages, mayInstall } from "./install-packages.ts";

interface Need {
  readonly variable: string;
  readonly programs: readonly string[];
  /** Debian packages that have one of the programs: the first that exists is taken. */
  readonly packages: readonly string[];
  readonly start: () => Promise<PrivateServer>;
}

const NEEDS: readonly Need[] = [
  {
    variable: "TEST_MYSQL_URL",
    programs: MYSQL_PROGRAMS,
    packages: ["mariadb-server", "mysql-server"],
    start: startMysql,
  },
  {
    variable: "TEST_REDIS_URL",
    programs: REDIS_PROGRAMS,
    packages: ["redis-server", "valkey-server"],
    start: startRedis,
  },
];

export interface TestServers {
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export const NO_SERVERS: TestServers = { environment: {}, stop: async () => {} };

export async function startTestServers(): Promise<TestServers> {
  const wanted = NEEDS.filter(({ variable }) => (process.env[variable] ?? "") === "");
  const missing = wanted.filter(({ programs }) => findProgram(programs) === null);
  if (missing.length > 0) {
    if (!mayInstall()) throw new Error(whatToInstall(missing));
    installPackages(missing.map(({ packages }) => packages));
  }
  const started = await Promise.allSettled(
    wanted.map(async ({ variable, start }) => ({ variable, server: await start() })),
  );
  const running = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const stop = async () => {
    await Promise.all(running.map(({ server }) => server.stop()));
  };
  const failure = started.find((result) => result.status === "rejected");
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  return {
    environment: Object.fromEntries(running.map(({ variable, server }) => [variable, server.url])),
    stop,
  };
}

function whatToInstall(missing: readonly Need[]): string {
  const needs = missing.map(({ packages, variable }) => `${packages.join(" or ")} (or set ${variable})`);
  return `The tests need servers: install ${needs.join(", and ")}.`;
}
