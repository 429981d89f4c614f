import { expect, test } from "vitest";
import { isLocalCaller } from "../../../../src/core/callers/local-caller.ts";

const none = () => false;

test.each(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])(
  "who comes from %s is of this machine",
  (remote) => {
    for (const host of ["localhost", "localhost:7070", "127.0.0.1:7070", "[::1]:7070"]) {
      expect(isLocalCaller(remote, host, none)).toBe(true);
    }
  },
);

test.each(["10.0.0.5", "192.168.1.9", "::ffff:10.0.0.5", "2001:db8::1", "128.0.0.1", "", undefined])(
  "who comes from %s is not",
  (remote) => {
    expect(isLocalCaller(remote, "localhost:7070", none)).toBe(false);
  },
);

// A page of that name reaches this machine, once the name leads here.
test.each([
  "attacker.example",
  "localhost.attacker.example",
  "127.0.0.1.attacker.example:7070",
  "10.0.0.5",
  "",
  null,
])("who asks for %s means another machine", (host) => {
  expect(isLocalCaller("127.0.0.1", host, none)).toBe(false);
});

test.each(["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"])(
  "a call with %s is passed on for somebody else",
  (header) => {
    expect(isLocalCaller("127.0.0.1", "localhost", (name) => name === header)).toBe(false);
  },
);
