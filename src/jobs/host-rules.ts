import { PermanentError } from "./define-jobs.ts";

/**
 * Refuses a URL whose host is not among the rules: an exact name or address, `*.suffix` for all names below one, or `*`
 * for any; each with `:port` for that port alone, else for all of them.
 */
export function checkHost(url: URL, rules: readonly string[]): void {
  if (rules.some((rule) => isCovered(url, rule.toLowerCase()))) return;
  const allowed = rules.length === 0 ? "none is" : `allowed: ${rules.join(", ")}`;
  const { hostname } = url;
  const at = rules.some((rule) => isCovered(url, withoutPort(rule.toLowerCase())))
    ? ` at port ${portOf(url)}`
    : "";
  throw new PermanentError(
    `the host ${hostname} is not allowed${at} (${allowed}); set HTTP_ALLOWED_HOSTS on the nodes to a list with it, such as ${hostname} or *.example.com`,
  );
}

function isCovered(url: URL, rule: string): boolean {
  const host = withoutPort(rule);
  const port = rule.slice(host.length + 1);
  if (port !== "" && port !== portOf(url)) return false;
  const hostname = withoutEndDot(url.hostname);
  if (host === "*") return true;
  return host.startsWith("*.") ? hostname.endsWith(host.slice(1)) : hostname === host;
}

/** The colons of an IPv6 address stand in brackets. */
function withoutPort(rule: string): string {
  return rule.replace(/:\d+$/, "");
}

function portOf({ port, protocol }: URL): string {
  return port !== "" ? port : protocol === "https:" ? "443" : "80";
}

/** `example.com.` is the same host. */
function withoutEndDot(hostname: string): string {
  return hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
}
