import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../../src/config.ts";
import { parseTokenLines } from "../../../../src/core/callers/api-tokens.ts";
import { isPlaceholder } from "../../../../src/core/callers/placeholder.ts";

const SERVERS = { MYSQL_URL: "mysql://app:wrjT4mLz@db/jobs", REDIS_URL: "redis://:wrjT4mLz@redis/0" };

describe("a secret that an example has for all to read is refused, in every setting that can hold one", () => {
  test.each([
    ["MYSQL_URL", "mysql://app:change-me-please@db/jobs"],
    ["MYSQL_URL", "mysql://app:CHANGE%2DME@db/jobs"],
    ["REDIS_URL", "redis://:CHANGE-ME@redis/0"],
    ["REDIS_URL", "redis://app:changeme@a:1,b:2"],
    ["REDIS_URL", "redis+sentinel://:good-one-4711@a:1/main?sentinelPassword=ChangeMe"],
    ["API_TOKENS", "good-token-012345,CHANGE-ME-to-a-long-random-token"],
    ["CLUSTER_SECRET", "CHANGE-ME-to-a-long-random-secret"],
  ])("%s=%s", (name, value) => {
    const problem = `${name}: holds a placeholder (not shown), as examples have them for all to read; choose another`;
    expect(() => parseConfig({ ...SERVERS, [name]: value })).toThrow(problem);
    // The file of tokens has lines of its own: below.
    if (name === "API_TOKENS") return;
    const fromFile = { ...SERVERS, [name]: "", [`${name}_FILE`]: "/file" };
    expect(() => parseConfig(fromFile, 1, () => value)).toThrow(problem.replace(":", "_FILE:"));
  });
  test("a line of API_TOKENS_FILE", () => {
    const { problems } = parseTokenLines("shop read good-token-012345\nme operate CHANGE-ME-0123456789");
    expect(problems).toEqual([
      { field: "line 2", message: expect.stringMatching(/^its token is a placeholder.*choose another$/) },
    ]);
  });
  test.each(["MYSQL", "REDIS"])("%s_PASSWORD", (server) => {
    const env = { MYSQL_URL: "mysql://app@db/jobs", REDIS_URL: "redis://redis/0" };
    for (const value of ["change-me-please", "CHANGE_ME"]) {
      expect(() => parseConfig({ ...env, [`${server}_PASSWORD`]: value })).toThrow(
        `${server}_PASSWORD: holds a placeholder`,
      );
    }
  });
});

test.each([
  "change-me-please",
  "change-me-too",
  "CHANGE-ME",
  "ChangeMe123",
  "change_this_secret",
  "changeit",
  "please-change-me-now",
  "REPLACE-ME-0123456789",
  "replace.with.a.token",
  "placeholder-token-0000",
  "your-token-goes-here",
  "YOUR_OWN_SECRET_16",
  "<password>",
  // As a template has it that was never filled in.
  ["$", "{MYSQL_PASSWORD}"].join(""),
  "{{ .Values.token }}",
  "$(PASSWORD)",
  "xxxxxxxxxxxxxxxx",
])("%s is a placeholder", (text) => {
  expect(isPlaceholder(text)).toBe(true);
});

test.each([
  "",
  "secret",
  "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978",
  "first-token-0123",
  "correct-horse-battery-staple",
  "exchange-rates-4711-berlin",
  "replacement-parts-4711",
  "yours-tokenizer-4711",
])("%j is not", (text) => {
  expect(isPlaceholder(text)).toBe(false);
});
