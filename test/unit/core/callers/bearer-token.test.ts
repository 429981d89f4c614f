import { expect, test } from "vitest";
import { bearerToken, isOneOf } from "../../../../src/core/callers/bearer-token.ts";

test("the token of an Authorization header is read whatever the case of its scheme", () => {
  expect(bearerToken("Bearer abc=")).toBe("abc=");
  expect(bearerToken("bearer   abc ")).toBe("abc");
  for (const header of [null, "", "Bearer", "Bearer ", "Basic abc", "abc", "Bearer a b"]) {
    expect(bearerToken(header)).toBeNull();
  }
});

test("only a whole token counts", () => {
  const secrets = ["first-secret", "second"];
  expect(isOneOf("first-secret", secrets)).toBe(true);
  expect(isOneOf("second", secrets)).toBe(true);
  for (const wrong of [null, "", "first", "first-secret-", "First-secret", "secon\u0000", "secondsecond"]) {
    expect(isOneOf(wrong, secrets)).toBe(false);
  }
  expect(isOneOf("", [])).toBe(false);
});
