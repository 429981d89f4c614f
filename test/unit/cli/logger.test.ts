import { expect, test } from "vitest";
import { errorField } from "../../../src/cli/logger.ts";
import { ElasticJobError } from "../../../src/core/errors.ts";

const away = new ElasticJobError("unavailable", "Redis: connect ECONNREFUSED 127.0.0.1:6379", {
  cause: new Error("connect ECONNREFUSED"),
});

test("logs that a server is away in one line, and with its stack only at debug", () => {
  expect(errorField(away, "info")).toBe("Redis: connect ECONNREFUSED 127.0.0.1:6379");
  expect(errorField(away, "debug")).toMatchObject({ stack: expect.stringContaining("logger.test.ts") });
});

test("logs every other error with its stack", () => {
  expect(errorField(new TypeError("no"), "info")).toMatchObject({
    stack: expect.stringContaining("TypeError"),
  });
  expect(errorField(new ElasticJobError("internal", "no"), "warn")).toHaveProperty("stack");
  expect(errorField("only a text", "info")).toBe("only a text");
});
