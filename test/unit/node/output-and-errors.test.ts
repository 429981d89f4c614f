import { describe, expect, test } from "vitest";
import { PermanentError, RetryError } from "../../../src/jobs/define-jobs.ts";
import { describeFailure } from "../../../src/node/describe-failure.ts";
import { outputText } from "../../../src/node/output-text.ts";
import {
  MAX_ERROR_CHARACTERS,
  MAX_OUTPUT_BYTES,
  OUTPUT_HEAD_CHARACTERS,
} from "../../../src/node/result-limits.ts";

function refusal(output: unknown) {
  try {
    outputText(output);
  } catch (error) {
    return describeFailure(error);
  }
  throw new Error("it was accepted");
}

describe("outputs", () => {
  test("are JSON text, and nothing for nothing", () => {
    expect(outputText({ a: [1, null, "x"], skipped: undefined })).toBe('{"a":[1,null,"x"]}');
    expect(outputText(null)).toBe("null");
    expect(outputText(undefined)).toBeNull();
    expect(outputText(new Date(0))).toBe('"1970-01-01T00:00:00.000Z"');
  });

  test("have a BigInt, and a raw number, with all digits", () => {
    const { rawJSON } = JSON as JSON & { rawJSON(text: string): unknown };
    const output = { id: 3889108265204450030n, ids: [-(2n ** 64n)], raw: rawJSON("0.12345678901234567890") };
    expect(outputText(output)).toBe(
      '{"id":3889108265204450030,"ids":[-18446744073709551616],"raw":0.12345678901234567890}',
    );
    expect(outputText(1n)).toBe("1");
  });

  test("have half a surrogate pair as its number, never as U+FFFD", () => {
    const { rawJSON } = JSON as JSON & { rawJSON(text: string): unknown };
    expect(outputText("a\ud83d")).toBe('"a\\ud83d"');
    expect(outputText([rawJSON('"\ud83d"'), "😀"])).toBe('["\\ud83d","😀"]');
  });

  test.each<[string, unknown, RegExp]>([
    ["a cycle", cyclic(), /circular/i],
    ["a cycle with a BigInt in it", { n: 1n, of: cyclic() }, /circular/i],
    ["a toJSON that throws", { toJSON: () => thrown("no JSON of me") }, /no JSON of me/],
    [
      "a getter that throws",
      Object.defineProperty({}, "x", { enumerable: true, get: () => thrown("shy") }),
      /shy/,
    ],
    ["a revoked proxy", { of: revokedProxy() }, /revoked/],
  ])("%s fails the attempt for good, and the cause is shown", (_, output, cause) => {
    const failure = refusal(output);
    expect(failure.isPermanent).toBe(true);
    expect(failure.error.name).toBe("OutputError");
    expect(failure.error.message).toContain("what JSON cannot carry");
    expect(failure.error.stack).toMatch(cause);
  });

  test.each<[string, unknown]>([
    ["a function", () => {}],
    ["a symbol", Symbol("s")],
    ["an object whose toJSON gives nothing", { toJSON: () => undefined }],
  ])("%s is refused by name", (what, output) => {
    expect(refusal(output).error.message).toContain(`the handler returned ${what}`);
  });

  test("that are just short enough are kept whole", () => {
    const text = "x".repeat(MAX_OUTPUT_BYTES - 2);
    expect(outputText(text)).toBe(`"${text}"`);
  });

  test("that are longer are cut and marked, counted in bytes", () => {
    for (const output of ["x".repeat(MAX_OUTPUT_BYTES - 1), "語".repeat(MAX_OUTPUT_BYTES / 3)]) {
      const whole = JSON.stringify(output);
      expect(JSON.parse(outputText(output) ?? "")).toEqual({
        truncated: true,
        characters: whole.length,
        head: whole.slice(0, OUTPUT_HEAD_CHARACTERS),
      });
    }
  });

  test("are not cut through a character", () => {
    const text = outputText(`x${"😀".repeat(MAX_OUTPUT_BYTES)}`) ?? "";
    expect(JSON.parse(text).head.isWellFormed()).toBe(true);
  });
});

describe("errors", () => {
  test("keep name, message and stack", () => {
    const { error, isPermanent } = describeFailure(new RangeError("too far"));
    expect(error).toMatchObject({ name: "RangeError", message: "too far" });
    expect(error.stack).toContain("output-and-errors.test.ts");
    expect(isPermanent).toBe(false);
  });

  test.each<[unknown, string]>([
    ["just text", "just text was thrown"],
    [undefined, "undefined was thrown"],
    [null, "null was thrown"],
    [{ code: 5 }, '{"code":5} was thrown'],
    [7n, "7 was thrown"],
    [Symbol("s"), "Symbol(s) was thrown"],
    [cyclic(), "a value of type object that has no text was thrown"],
    [Object.create(null), "{} was thrown"],
    [{ toJSON: () => thrown("no") }, "a value of type object that has no text was thrown"],
  ])("that are no Error objects are told as such: %#", (value, message) => {
    expect(describeFailure(value)).toEqual({
      kind: "failed",
      error: { name: "Error", message: `${message}, which is not an Error` },
      isPermanent: false,
    });
  });

  test("of another copy of the class, or just like an error, count as errors", () => {
    expect(describeFailure({ name: "Mine", message: "m" }).error).toEqual({ name: "Mine", message: "m" });
  });

  test("made of revoked proxies are still recorded", () => {
    expect(describeFailure(revokedProxy()).error.message).toContain("has no text was thrown");
    const error = Object.assign(new Error("outer"), { cause: revokedProxy(), errors: revokedProxy() });
    expect(describeFailure(error).error.message).toBe("outer");
  });

  test("with getters that throw do not hide the rest", () => {
    const error = new Error("outer");
    for (const key of ["name", "stack", "cause", "isPermanent", "retryAfterMs"]) {
      Object.defineProperty(error, key, { get: () => thrown("getter") });
    }
    expect(describeFailure(error)).toEqual({
      kind: "failed",
      error: { name: "Error", message: "outer" },
      isPermanent: false,
    });
  });

  test("show the chain of their causes, also one that bites its tail", () => {
    const root: Error & { cause?: unknown } = new Error("root");
    const top = new Error("top", { cause: new AggregateError([root, "text"], "middle") });
    root.cause = top;
    const { stack } = describeFailure(top).error;
    for (const part of [
      "Error: top",
      "caused by: AggregateError: middle",
      "caused by: Error: root",
      "caused by: text",
    ]) {
      expect(stack).toContain(part);
    }
  });

  test("that are long are cut and marked", () => {
    const error = new Error("m".repeat(100_000));
    error.stack = "s".repeat(100_000);
    error.name = "n".repeat(1000);
    const described = describeFailure(error).error;
    expect(described.message).toBe(`${"m".repeat(MAX_ERROR_CHARACTERS)}… (cut)`);
    expect(described.stack).toBe(`${"s".repeat(MAX_ERROR_CHARACTERS)}… (cut)`);
    expect(described.name).toHaveLength(128);
  });

  test("have only text that can be stored", () => {
    expect(describeFailure(new Error("\ud800")).error.message.isWellFormed()).toBe(true);
  });

  test("say by a mark, not by their class, that they are permanent", () => {
    expect(describeFailure(new PermanentError("no")).isPermanent).toBe(true);
    expect(describeFailure({ message: "no", isPermanent: true }).isPermanent).toBe(true);
    expect(describeFailure({ message: "no", isPermanent: "yes" }).isPermanent).toBe(false);
  });

  test("say by a mark when the next attempt comes", () => {
    expect(describeFailure(new RetryError("busy", { after: 1500 })).retryAfterMs).toBe(1500);
    for (const retryAfterMs of [-1, Number.NaN, "5"]) {
      expect(describeFailure({ message: "busy", retryAfterMs })).not.toHaveProperty("retryAfterMs");
    }
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("RetryError refuses to wait %d ms", (after) => {
    expect(() => new RetryError("busy", { after })).toThrow("use milliseconds, 0 to 31536000000");
  });
});

function cyclic(): unknown {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  return cycle;
}

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function thrown(message: string): never {
  throw new Error(message);
}
