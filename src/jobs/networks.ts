/**
 * What kind of address an address is. Only what is reachable from all of the internet counts as public: a list of what is not
 * would miss what is added to it, so of IPv6 only the range that is given out is taken, and less the parts of it that are special.
 */
import { BlockList, isIP } from "node:net";

/** IANA's IPv4 Special-Purpose Address Registry, multicast, and what is reserved. */
const SPECIAL_IPV4 = [
  "0.0.0.0/8", // this network, unspecified
  "10.0.0.0/8",
  "100.64.0.0/10", // shared by carriers, and by clouds for their metadata
  "127.0.0.0/8",
  "169.254.0.0/16", // link-local, with the metadata of most clouds
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24", // relays of 6to4
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, broadcast
];
/** IANA's IPv6 Special-Purpose Address Registry, as far as it lies in what is given out. */
const SPECIAL_IPV6 = ["2001::/23", "2001:db8::/32", "3fff::/20"];
const GIVEN_OUT_IPV6 = networkOf("2000::/3");
const SPECIAL = SPECIAL_IPV4.concat(SPECIAL_IPV6).map(networkOf);

/** In CIDR form, or an address alone. */
export function networkOf(text: string): BlockList {
  const [address = "", prefix] = text.split("/");
  const family = familyOf(address);
  const network = new BlockList();
  if (prefix === undefined) network.addAddress(address, family);
  else network.addSubnet(address, Number(prefix), family);
  return network;
}

export function isIn(network: BlockList, address: string): boolean {
  return network.check(address, familyOf(address));
}

export function isPublic(address: string): boolean {
  const carried = carriedIpv4(address);
  if (carried !== null) return isPublic(carried);
  if (isIP(address) === 6 && !isIn(GIVEN_OUT_IPV6, address)) return false;
  return isIP(address) !== 0 && !SPECIAL.some((network) => isIn(network, address));
}

/** An address as it is compared: without the interface of a link-local one, and an IPv4 one that is written as IPv6 as what it is. */
export function plainAddress(address: string): string {
  const [withoutZone = ""] = address.split("%");
  return groupsOf(withoutZone)?.startsWith("0:0:0:0:0:ffff:")
    ? (carriedIpv4(withoutZone) ?? withoutZone)
    : withoutZone;
}

/** The IPv4 address that a connection to this IPv6 one ends at: mapped, or by way of NAT64 (RFC 6052) or 6to4 (RFC 3056). */
function carriedIpv4(address: string): string | null {
  const groups = groupsOf(address);
  const [, high, low] =
    /^(?:0:0:0:0:0:ffff|64:ff9b:0:0:0:0):(\w+):(\w+)$/.exec(groups ?? "") ??
    /^2002:(\w+):(\w+):/.exec(groups ?? "") ??
    [];
  if (high === undefined || low === undefined) return null;
  const bytes = [high, low].flatMap((group) => [
    Number.parseInt(group, 16) >> 8,
    Number.parseInt(group, 16) & 255,
  ]);
  return bytes.join(".");
}

/** The eight groups of an IPv6 address, without leading zeros; null: it is none. */
function groupsOf(address: string): string | null {
  if (isIP(address) !== 6) return null;
  // A URL has the shortest form, without dots.
  const host = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? "";
  const [head = "", tail] = host.split("::");
  if (tail === undefined) return head;
  const [before, after] = [head, tail].map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(8 - (before?.length ?? 0) - (after?.length ?? 0)).fill("0");
  return [...(before ?? []), ...zeros, ...(after ?? [])].join(":");
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
