/** Settings that can't work: each is told in one line that says what is wrong and what to set. */
import { run } from "./docker.ts";
import { until } from "./stack.ts";

export interface BadSetting {
  readonly title: string;
  readonly image: string;
  readonly args: readonly string[];
  /** What its last line on stderr says. */
  readonly says: RegExp;
  /** null: it goes on trying until it is stopped, and then exits with 0. */
  readonly exitCode: number | null;
}

export interface Servers {
  /** Where the real MySQL and Redis are. */
  readonly network: string;
  readonly mysqlPassword: string;
  readonly redisPassword: string;
}

/** `container`: one that has port 7070. */
export function badSettings(servers: Servers, container: string): BadSetting[] {
  const { network, mysqlPassword: password } = servers;
  const mysql = (word: string) => ["-e", `MYSQL_URL=mysql://elastic_job:${word}@mysql:3306/elastic_job`];
  const redis = (host: string, word = servers.redisPassword) => [
    "-e",
    `REDIS_URL=redis://elastic_job:${word}@${host}:6379`,
  ];
  const joined = ["--network", network];
  return [
    {
      title: "a wrong password for MySQL",
      image: "elastic-job",
      args: [...joined, ...mysql("wrong"), ...redis("redis")],
      says: /MYSQL_URL.*(password|Access denied)/is,
      exitCode: 1,
    },
    {
      title: "a MySQL that is not there",
      image: "elastic-job",
      args: [...joined, "-e", "MYSQL_URL=mysql://a:b@no-mysql:3306/c", ...redis("redis")],
      says: /no-mysql.*database does not answer yet/,
      exitCode: null,
    },
    {
      title: "a Redis that is not there",
      image: "elastic-job",
      args: [...joined, ...mysql(password), ...redis("no-redis")],
      says: /Redis.*out of reach|no-redis/i,
      exitCode: null,
    },
    {
      title: "a wrong password for Redis",
      image: "elastic-job",
      args: [...joined, ...mysql(password), ...redis("redis", "wrong")],
      says: /WRONGPASS/,
      exitCode: null,
    },
    {
      title: "a missing variable",
      image: "elastic-job",
      args: mysql(password),
      says: /MYSQL_URL: is set without REDIS_URL.*set both or neither/s,
      exitCode: 2,
    },
    {
      title: "a port that is taken",
      image: "elastic-job",
      args: ["--network", `container:${container}`, ...mysql(password), ...redis("redis")],
      says: /PORT: 7070 .*taken/,
      exitCode: 1,
    },
    {
      title: "an edge without a usable UPSTREAM",
      image: "elastic-job-edge",
      args: ["-e", "UPSTREAM=nowhere"],
      says: /UPSTREAM: "nowhere" is not accepted; use the URL of a node/,
      exitCode: 2,
    },
  ];
}

const WATCHED_MS = 20_000;

/** One that never says it is stopped at the limit, and then judged by what it has said. */
async function stopOnceTold(name: string, says: RegExp): Promise<void> {
  const told = until(`what ${name} says`, WATCHED_MS, async () => {
    const { stdout, stderr } = await run("docker", ["logs", name]);
    return says.test(stdout + stderr);
  });
  await told.catch(() => {});
  await run("docker", ["stop", name]);
}

export async function expectTold(setting: BadSetting): Promise<string> {
  const name = `elastic-job-test-bad-${process.pid}`;
  const args = [
    "run",
    "--rm",
    "--name",
    name,
    "--read-only",
    "--tmpfs",
    "/tmp",
    ...setting.args,
    setting.image,
  ];
  const running = run("docker", args);
  if (setting.exitCode === null) await stopOnceTold(name, setting.says);
  const { code, stdout, stderr } = await running;
  const lines = `${stderr}${stdout}`.split("\n").filter((line) => line !== "");
  const shown = lines.join("\n");
  if (!setting.says.test(shown)) throw new Error(`${setting.says} was not said, but:\n${shown}`);
  if (/^\s+at .*:\d+:\d+/m.test(shown)) throw new Error(`a stack trace was printed:\n${shown}`);
  // SIGTERM ends it in good order also while it waits.
  const expected = setting.exitCode ?? 0;
  if (code !== expected) throw new Error(`exit code ${code}, ${expected} was expected:\n${shown}`);
  const line = lines.find((one) => setting.says.test(one)) ?? lines.join(" / ");
  return setting.exitCode === null ? `goes on trying: ${line}` : `exit code ${code}: ${line}`;
}
