import { describe, expect, test } from "vitest";
import { parseRedisUrl } from "../../../src/coordination/redis/redis-url.ts";
import { isError } from "../../../src/core/errors.ts";

describe("a Redis URL", () => {
  test("names one server, with defaults for port and database", () => {
    expect(parseRedisUrl("redis://localhost")).toEqual({
      kind: "single",
      tls: null,
      credentials: {},
      server: { host: "localhost", port: 6379 },
      database: 0,
    });
  });

  test("carries user, password, TLS and database", () => {
    expect(parseRedisUrl("rediss://us%40er:p%2Fw@[::1]:7000/3")).toEqual({
      kind: "single",
      tls: { caFile: null, own: null, serverName: null },
      credentials: { username: "us@er", password: "p/w" },
      server: { host: "::1", port: 7000 },
      database: 3,
    });
  });

  test.each(["redis://:pw@a:1,redis://b:2", "redis://:pw@a:1, b:2"])("names a cluster: %s", (url) => {
    expect(parseRedisUrl(url)).toEqual({
      kind: "cluster",
      tls: null,
      credentials: { password: "pw" },
      roots: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
    });
  });

  test("names Sentinels, their group, and passwords of both", () => {
    const url = "redis+sentinel://:p%40w@h1:1,h2,[::1]:3/mymaster/2?sentinelPassword=s%26t";
    expect(parseRedisUrl(url)).toEqual({
      kind: "sentinel",
      tls: null,
      credentials: { password: "p@w" },
      name: "mymaster",
      sentinels: [
        { host: "h1", port: 1 },
        { host: "h2", port: 26379 },
        { host: "::1", port: 3 },
      ],
      sentinelCredentials: { password: "s&t" },
      database: 2,
    });
  });

  const named = {
    caFile: "/ca.pem",
    own: { certFile: "/c.pem", keyFile: "/c.key" },
    serverName: "redis.internal",
  };
  test.each([
    "rediss://h?cacert=/ca.pem&cert=/c.pem&key=/c.key&sni=redis.internal",
    "rediss://a?cacert=/ca.pem&sni=redis.internal,rediss://b?cert=/c.pem&key=/c.key",
    "rediss+sentinel://a,b/name?cacert=/ca.pem&cert=/c.pem&key=/c.key&sni=redis.internal&sentinelPassword=x",
  ])("names certificates in the words of redis-cli: %s", (url) => {
    expect(parseRedisUrl(url).tls).toEqual(named);
  });

  test.each([
    ["redis://h?cacert=/ca.pem", "have no meaning without TLS; use rediss:"],
    ["redis+sentinel://h/name?sni=x", "have no meaning without TLS; use rediss:"],
    ["rediss://h?cert=/c.pem", "cert needs key"],
    ["rediss://h?key=/c.key", "key needs cert"],
    ["rediss://h?cacert=", "the parameter cacert is empty"],
    ["rediss://a?cacert=/a,rediss://b?cacert=/b", "the parameter cacert is there twice"],
    ["rediss://h?ca=/ca.pem", "the parameter ca is not known; cacert, cert, key, sni are"],
  ])("says what is wrong with its certificates: %s", (url, what) => {
    expect(() => parseRedisUrl(url)).toThrow(what);
  });

  test.each([
    "",
    "redis://",
    "localhost:6379",
    "http://localhost",
    "redis://h:pw:1",
    "redis://h:99999",
    "redis://h/zero",
    "redis://a,rediss://b",
    "redis://a/0,redis://b/1",
    "redis://a,,b",
    "redis+sentinel://h1:1,h2:2",
    "redis+sentinel://h1:1,/name",
    "redis+sentinel:///name",
    "redis+sentinel://h1/name/0/x",
    "redis://%zz@h",
    "redis://h/0#x",
    "redis+sentinel://h1/name?sentinelPassword=a&sentinelPassword=b",
  ])("that is malformed is refused: %s", (url) => {
    try {
      parseRedisUrl(url);
      expect.fail("it was accepted");
    } catch (error) {
      expect(isError(error, "invalid_argument")).toBe(true);
    }
  });

  test.each([
    ["redis://h/0?tls=true", "tls"],
    ["redis://a/0?family=6,redis://b", "family"],
    ["redis+sentinel://h1?db=3/name", "db"],
    ["redis+sentinel://h1/name?sentinelUser=x", "sentinelUser"],
  ])("with a parameter that is not known is refused, and it is named: %s", (url, name) => {
    expect(() => parseRedisUrl(url)).toThrow(`the parameter ${name} is not known`);
  });

  test("is not repeated in the refusal: it may hold a password", () => {
    expect(() => parseRedisUrl("redis://:hunter2@h:1:2")).toThrow(/^(?!.*hunter2).*use redis:/s);
    expect(() => parseRedisUrl("redis://u:1/2?hunter2@h/0")).toThrow(/^(?!.*hunter2).*use redis:/s);
  });
});
