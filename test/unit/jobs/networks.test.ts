import { expect, test } from "vitest";
import { isIn, isPublic, networkOf, plainAddress } from "../../../src/jobs/networks.ts";

test.each([
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "169.253.255.255",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "223.255.255.255",
  "2606:4700::1111",
  "2a00::1",
  "::ffff:8.8.8.8",
  "64:ff9b::808:808",
  "2002:808:808::1",
])("%s is public", (address) => {
  expect(isPublic(address)).toBe(true);
});

test.each([
  ["unspecified", "0.0.0.0", "0.1.2.3", "::", "0:0:0:0:0:0:0:0"],
  ["loopback", "127.0.0.1", "127.255.255.255", "::1"],
  ["private", "10.0.0.0", "172.16.0.0", "172.31.255.255", "192.168.255.255", "fc00::", "fdff::1"],
  ["shared", "100.64.0.0", "100.127.255.255"],
  ["link-local", "169.254.0.0", "169.254.169.254", "fe80::1", "febf::1", "fe80::1%eth0", "fec0::1"],
  ["multicast", "224.0.0.1", "239.255.255.255", "ff02::1"],
  ["reserved", "240.0.0.0", "255.255.255.255", "192.0.2.1", "2001:db8::1", "100::1", "4000::1"],
  ["mapped", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "0:0:0:0:0:FFFF:0A00:1"],
  ["compatible or translated", "::127.0.0.1", "::8.8.8.8", "::ffff:0:127.0.0.1"],
  ["by 6to4", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:0a00:0001::1"],
  ["by NAT64", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808"],
  ["by Teredo", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
  ["none", "", "localhost", "1.2.3", "0177.0.0.1"],
])("what is %s is not public", (_, ...addresses) => {
  for (const address of addresses) expect([address, isPublic(address)]).toEqual([address, false]);
});

test("an address that is written as IPv6 is compared as what it is", () => {
  expect(plainAddress("::ffff:10.0.0.1")).toBe("10.0.0.1");
  expect(plainAddress("::FFFF:0a00:0001")).toBe("10.0.0.1");
  expect(plainAddress("fe80::1%eth0")).toBe("fe80::1");
  // What carries it elsewhere is not the address itself.
  expect(plainAddress("64:ff9b::a00:1")).toBe("64:ff9b::a00:1");
  expect(plainAddress("10.0.0.1")).toBe("10.0.0.1");
});

test("a network has the addresses that share its bits", () => {
  expect(isIn(networkOf("10.1.0.0/16"), "10.1.255.255")).toBe(true);
  expect(isIn(networkOf("10.1.0.0/16"), "10.2.0.0")).toBe(false);
  expect(isIn(networkOf("fd00::/8"), "fdff::1")).toBe(true);
  expect(isIn(networkOf("fd00::5"), "fd00:0::5")).toBe(true);
  expect(isIn(networkOf("10.0.0.5"), "fd00::5")).toBe(false);
});
