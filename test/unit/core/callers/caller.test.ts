import { expect, test } from "vitest";
import { parseTokenLines } from "../../../../src/core/callers/api-tokens.ts";
import {
  ANYBODY,
  callerOf,
  callerText,
  NOT_SAID,
  readCallerText,
  THIS_MACHINE,
} from "../../../../src/core/callers/caller.ts";

test.each([
  callerOf("on-call", "10.0.0.1", null),
  callerOf(THIS_MACHINE, "::ffff:127.0.0.1", "203.0.113.9"),
  callerOf("a@b:c.d_e-f", "fe80::1%eth0", "2001:db8::1"),
  callerOf(ANYBODY, "", "a,b"),
])("%j is one header's text and back", (caller) => {
  const text = callerText(caller);
  expect(text).toMatch(/^[\x21-\x7e]+$/);
  expect(readCallerText(new Headers({ caller: text }).get("caller"))).toEqual(caller);
});

test.each([null, "", "a", "a,b", "a,b,c,d", ",b,c", "%,b,c", "%ff,b,c", `${"x".repeat(65)},b,c`])(
  "%j is nobody's",
  (text) => {
    expect(readCallerText(text)).toEqual(NOT_SAID);
  },
);

test("what is said for a caller is taken as it is, or not at all", () => {
  const said = (text: string) => callerOf("a", "10.0.0.1", text).forwardedFor;
  expect(said("203.0.113.9")).toBe("203.0.113.9");
  for (const odd of ["x".repeat(65), "two words", "line\nbreak", "é", "\u001b[2J"])
    expect(said(odd)).toBe("");
});

test("no token has the name of those who have none", () => {
  for (const name of [ANYBODY, THIS_MACHINE, NOT_SAID.name, "several callers"]) {
    const { problems } = parseTokenLines(`${name} read a-token-0123456789`);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).not.toContain("a-token");
  }
});
