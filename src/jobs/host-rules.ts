/**
 * The rules of HTTP_ALLOWED_HOSTS: a name or address, `*.suffix` for all names below one, a network in CIDR form, or `*` for any;
 * each with `:port` for that port alone, else for all of them. Names allow names, and what is public behind them; an address that is
 * not public is allowed by an address or a network alone, because whoever owns a name chooses what it resolves to.
 */
import type { BlockList } from "node:net";
import { PermanentError } from "./define-jobs.ts";
import { isIn, networkOf, plainAddress } from "./networks.ts";

export interface HostRule {
  readonly text: string;
  /** In lower case, without a port: a name, `*.suffix`, `*`; of an address, as a URL has it. */
  readonly host: string;
  /** null: any. */
  readonly port: string | null;
  /** null: it is a rule for names. */
  readonly network: BlockList | null;
}

/** Each as the setting takes it. */
export function parseHostRules(texts: readonly string[]): HostRule[] {
  return texts.map((text) => {
    // The colons of an IPv6 address stand in brackets.
    const [, host = "", port = null] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(text.toLowerCase()) ?? [];
    const address = withoutBrackets(host);
    const isAddress = /^[\d.]+(\/\d+)?$/.test(address) || address.includes(":");
    return { text, host, port, network: isAddress ? networkOf(address) : null };
  });
}

/** Refuses a URL whose host no rule has. What it resolves to is `address-judge.ts`'s to judge. */
export function checkHost(url: URL, rules: readonly HostRule[]): void {
  if (allowsHost(rules, url)) return;
  const { hostname } = url;
  const at = rules.some((rule) => hasHost(rule, url)) ? ` at port ${portOf(url)}` : "";
  throw new PermanentError(
    `the host ${hostname} is not allowed${at} (${allowedText(rules)}); set HTTP_ALLOWED_HOSTS on the nodes to a list with it, such as ${hostname} or *.example.com`,
  );
}

/** Whether a rule has the URL's host, at its port. */
export function allowsHost(rules: readonly HostRule[], url: URL): boolean {
  return rules.some((rule) => hasHost(rule, url) && hasPort(rule, url));
}

/** Whether a rule has the address itself, at the port of the URL. */
export function allowsAddress(rules: readonly HostRule[], address: string, url: URL): boolean {
  const plain = plainAddress(address);
  return rules.some((rule) => rule.network !== null && isIn(rule.network, plain) && hasPort(rule, url));
}

export function allowedText(rules: readonly HostRule[]): string {
  return rules.length === 0 ? "none is" : `allowed: ${rules.map(({ text }) => text).join(", ")}`;
}

/** The address that a URL names instead of a host's name; null: it names none. */
export function literalAddress({ hostname }: URL): string | null {
  return /^[\d.]+$/.test(hostname) || hostname.startsWith("[") ? withoutBrackets(hostname) : null;
}

function hasHost({ host, network }: HostRule, url: URL): boolean {
  if (host === "*") return true;
  const address = literalAddress(url);
  if (network !== null) return address !== null && isIn(network, plainAddress(address));
  const hostname = withoutEndDot(url.hostname);
  return host.startsWith("*.") ? hostname.endsWith(host.slice(1)) : hostname === host;
}

function hasPort(rule: HostRule, url: URL): boolean {
  return rule.port === null || rule.port === portOf(url);
}

function portOf({ port, protocol }: URL): string {
  return port !== "" ? port : protocol === "https:" ? "443" : "80";
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

/** `example.com.` is the same host. */
function withoutEndDot(hostname: string): string {
  return hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
}
