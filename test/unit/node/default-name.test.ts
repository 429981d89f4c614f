import { expect, test } from "vitest";
import { parseConfig } from "../../../src/config.ts";
import { defaultNodeName } from "../../../src/node/default-name.ts";

const NODE = { host: "vm", port: parseConfig({}).port, incarnation: "da4247f0-1", isEmbedded: false };

test("a node without a NODE_ID has its host's name, over restarts", () => {
  expect(defaultNodeName(NODE)).toBe("vm");
  expect(defaultNodeName({ ...NODE, incarnation: "0123456789" })).toBe("vm");
});

test("a second node of a host has its port in its name", () => {
  expect(defaultNodeName({ ...NODE, port: 7071 })).toBe("vm:7071");
});

test("a node at any free port is told by its incarnation, unless it is alone", () => {
  expect(defaultNodeName({ ...NODE, port: 0 })).toBe("vm-da4247");
  expect(defaultNodeName({ ...NODE, port: 0, isEmbedded: true })).toBe("vm");
});
