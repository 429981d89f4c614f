import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseConfig, SECRET_VARIABLES } from "../../../src/config.ts";
import { parseRedisUrl } from "../../../src/coordination/redis/redis-url.ts";
import { ElasticJobError } from "../../../src/core/errors.ts";
import { parseMysqlUrl } from "../../../src/store/mysql/mysql-url.ts";

const SERVERS = { MYSQL_URL: "mysql://app@db/jobs", REDIS_URL: "redis://redis/0" };
const AWKWARD = " p@ss:w/rd?#%41 $& 'ü ";

/** The file of tokens has lines with names and roles, and is read by itself. */
const FILES = SECRET_VARIABLES.filter((name) => name.endsWith("_FILE") && name !== "API_TOKENS_FILE");

/** Reads from these files, and no others. */
const files = (contents: Readonly<Record<string, string>>) => (path: string) => {
  const content = contents[path];
  if (content === undefined) throw Object.assign(new Error(`ENOENT: open '${path}'`), { code: "ENOENT" });
  return content;
};
const read = (env: Readonly<Record<string, string>>, contents: Readonly<Record<string, string>>) =>
  parseConfig(env, 1, files(contents));

function refusal(env: Readonly<Record<string, string>>, contents: Readonly<Record<string, string>> = {}) {
  try {
    read(env, contents);
  } catch (error) {
    if (error instanceof ElasticJobError && error.code === "invalid_argument") return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

test("every secret setting can be given as a file, whose last newline does not count", () => {
  const config = read(
    {
      MYSQL_URL_FILE: "/mysql",
      REDIS_URL_FILE: "/redis",
      CLUSTER_SECRET_FILE: " /secret ",
    },
    {
      "/mysql": "mysql://app:one@db/jobs\n",
      "/redis": "redis://:two@redis/0\r\n",
      "/secret": "new-secret-012345,old-secret-012345\n",
    },
  );
  expect(config).toMatchObject({
    mysqlUrl: "mysql://app:one@db/jobs",
    redisUrl: "redis://:two@redis/0",
    clusterSecrets: ["new-secret-012345", "old-secret-012345"],
  });
  expect(SECRET_VARIABLES).toEqual(
    ["MYSQL_URL", "REDIS_URL", "MYSQL_PASSWORD", "REDIS_PASSWORD", "API_TOKENS", "CLUSTER_SECRET"].flatMap(
      (name) => [name, `${name}_FILE`],
    ),
  );
});

test("a file is read from the disk", () => {
  const folder = mkdtempSync(join(tmpdir(), "secret-files-"));
  try {
    const file = join(folder, "secret");
    writeFileSync(file, "first-secret-0123\n");
    expect(parseConfig({ CLUSTER_SECRET_FILE: file }).clusterSecrets).toEqual(["first-secret-0123"]);
    expect(() => parseConfig({ CLUSTER_SECRET_FILE: folder })).toThrow(
      /CLUSTER_SECRET_FILE: .*cannot be read \(EISDIR\)/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("a file that gives no secret is told by its setting, and is no open door", () => {
  test.each(FILES)("%s", (name) => {
    const servers = name.startsWith("MYSQL_URL") || name.startsWith("REDIS_URL") ? {} : SERVERS;
    // What stands there may be the secret itself, by mistake.
    const missing = refusal({ ...servers, [name]: "a-secret-in-the-wrong-place" });
    expect(missing).toContain(`${name}: the file that it names cannot be read (ENOENT)`);
    expect(missing).not.toContain("wrong-place");
    for (const nothing of ["", "\n", " \r\n"]) {
      expect(refusal({ ...servers, [name]: "/empty" }, { "/empty": nothing })).toContain(
        `${name}: the file that it names is empty`,
      );
    }
    const plain = name.replace("_FILE", "");
    expect(refusal({ ...SERVERS, [plain]: "x", [name]: "/file" }, { "/file": "y" })).toContain(
      `${name}: is set beside ${plain}; set one of them`,
    );
  });
});

test("the file of tokens is not read for their text, and stands instead of API_TOKENS", () => {
  expect(read({ ...SERVERS, API_TOKENS_FILE: "/tokens" }, {})).toMatchObject({
    apiTokens: [],
    apiTokensFile: "/tokens",
  });
  expect(refusal({ API_TOKENS: "first-token-0123", API_TOKENS_FILE: "/tokens" })).toContain(
    "API_TOKENS_FILE: is set beside API_TOKENS",
  );
});

test("no message shows what a file has", () => {
  const contents = { "/file": "hunter2 hunter2\nhunter2" };
  for (const name of FILES) {
    const message = refusal({ [name]: "/file" }, contents);
    expect(message).toContain(`${name}: `);
    expect(message).not.toContain("hunter2");
  }
});

describe("a password beside its URL", () => {
  test("reaches the server as it stands, whatever characters it has", () => {
    const env = { ...SERVERS, MYSQL_PASSWORD_FILE: "/mysql", REDIS_PASSWORD_FILE: "/redis" };
    const { mysqlUrl, redisUrl } = read(env, { "/mysql": `${AWKWARD}\n`, "/redis": `${AWKWARD}\n` });
    expect(parseMysqlUrl(mysqlUrl ?? "")).toMatchObject({ host: "db", user: "app", password: AWKWARD });
    expect(parseRedisUrl(redisUrl ?? "")).toMatchObject({
      kind: "single",
      server: { host: "redis", port: 6379 },
      credentials: { password: AWKWARD },
    });
    const again = read({ ...SERVERS, MYSQL_PASSWORD: "a%41", REDIS_PASSWORD: "b%41" }, {});
    expect(parseMysqlUrl(again.mysqlUrl ?? "").password).toBe("a%41");
    expect(parseRedisUrl(again.redisUrl ?? "").credentials.password).toBe("b%41");
  });
  test.each([
    ["redis://app@h:6380/3", { kind: "single", credentials: { username: "app", password: AWKWARD } }],
    ["redis://app:@h", { kind: "single", credentials: { username: "app", password: AWKWARD } }],
    ["redis://app@a:1,b:2", { kind: "cluster", credentials: { username: "app", password: AWKWARD } }],
    [
      "rediss://a:1,rediss://b:2",
      { kind: "cluster", tls: { caFile: null }, credentials: { password: AWKWARD } },
    ],
    [
      "redis+sentinel://app@a:1,b:2/main/3?sentinelPassword=other",
      {
        kind: "sentinel",
        database: 3,
        credentials: { username: "app", password: AWKWARD },
        sentinelCredentials: { password: "other" },
      },
    ],
  ])("goes into %s, and changes nothing else of it", (url, target) => {
    const env = { ...SERVERS, REDIS_URL: url, REDIS_PASSWORD_FILE: "/redis" };
    const { redisUrl } = read(env, { "/redis": AWKWARD });
    const { credentials: _, ...given } = parseRedisUrl(url);
    expect(parseRedisUrl(redisUrl ?? "")).toMatchObject({ ...given, ...target });
  });
  test("is refused where the URL has one, or where there is no URL", () => {
    for (const server of ["MYSQL", "REDIS"]) {
      const both = refusal({
        MYSQL_URL: "mysql://app:hunter2@db/jobs",
        REDIS_URL: "redis://:hunter2@redis/0",
        [`${server}_PASSWORD`]: "hunter3",
      });
      expect(both).toContain(`${server}_PASSWORD: is set, and ${server}_URL has a password as well`);
      expect(both).not.toContain("hunter");
      expect(refusal({ [`${server}_PASSWORD`]: "hunter3" })).toContain(
        `${server}_PASSWORD: is set without ${server}_URL`,
      );
    }
  });
  test("is refused where its file is not UTF-8", () => {
    expect(refusal({ ...SERVERS, MYSQL_PASSWORD_FILE: "/latin1" }, { "/latin1": "gr\uFFFDn" })).toMatch(
      /MYSQL_PASSWORD_FILE: its value \(not shown\) .*UTF-8/,
    );
  });
});
