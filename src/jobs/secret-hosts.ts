/**
 * SECRET_HOSTS: to which hosts the handler `http` may send which secret. Who may add jobs names the URL and the secret, and would
 * else have any secret sent to any host that may be called.
 */
import { PermanentError } from "./define-jobs.ts";
import { allowsHost, type HostRule, parseHostRules } from "./host-rules.ts";

export type SecretHosts = ReadonlyMap<string, readonly HostRule[]>;

/** Each as the setting takes it: `stripe=api.stripe.com`. */
export function parseSecretHosts(texts: readonly string[]): SecretHosts {
  const hosts = new Map<string, HostRule[]>();
  for (const text of texts) {
    const at = text.indexOf("=");
    const name = text.slice(0, at);
    hosts.set(name, [...(hosts.get(name) ?? []), ...parseHostRules([text.slice(at + 1)])]);
  }
  return hosts;
}

/** Refuses to send a secret where it may not go; `shown`: how the message names that. */
export function checkSecretHost(name: string, url: URL, hosts: SecretHosts, shown: string): void {
  const rules = hosts.get(name) ?? [];
  if (allowsHost(rules, url)) return;
  const setting = `SECRET_HOSTS on the nodes says where, as ${name}=api.example.com`;
  // Such as a node that was forgotten: another may know more.
  if (rules.length === 0) throw new Error(`the secret ${name} may be sent nowhere by this node; ${setting}`);
  const allowed = rules.map(({ text }) => text).join(", ");
  throw new PermanentError(
    `the secret ${name} is not sent to ${shown}: it may be sent to ${allowed}; ${setting}`,
  );
}
