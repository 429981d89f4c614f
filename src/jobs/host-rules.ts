import { PermanentError } from "./define-jobs.ts";

/** Refuses a URL whose host is not among the rules: exact names, and `*.suffix` for all names below one. */
export function checkHost({ hostname }: URL, rules: readonly string[]): void {
  if (rules.some((rule) => isCovered(withoutEndDot(hostname), rule.toLowerCase()))) return;
  const allowed = rules.length === 0 ? "none is" : `allowed: ${rules.join(", ")}`;
  throw new PermanentError(
    `the host ${hostname} is not allowed (${allowed}); set HTTP_ALLOWED_HOSTS on the nodes to a list with it, such as ${hostname} or *.example.com`,
  );
}

function isCovered(hostname: string, rule: string): boolean {
  return rule.startsWith("*.") ? hostname.endsWith(rule.slice(1)) : hostname === rule;
}

/** `example.com.` is the same host. */
function withoutEndDot(hostname: string): string {
  return hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
}
