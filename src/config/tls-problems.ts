import type { Problem } from "../core/errors.ts";
import type { TlsSettings } from "./tls-files.ts";

/** What of the settings for TLS does not go together: what were passed over would leave its user with less than was asked for. */
export function tlsProblems(
  settings: TlsSettings & {
    /** undefined: what was set is not accepted, and told already. */
    readonly upstreams: readonly string[] | undefined;
  },
): readonly Problem[] {
  const { tlsCertFile, tlsKeyFile, tlsCaFile, tlsClientCaFile, tlsServerName, tlsPlain, upstreams } =
    settings;
  const problems: Problem[] = [];
  const note = (field: string, message: string) => problems.push({ field, message });
  if (tlsCertFile !== null && tlsKeyFile === null) {
    note("TLS_CERT_FILE", "is set without TLS_KEY_FILE, the key that belongs to it; set both or neither");
  }
  if (tlsKeyFile !== null && tlsCertFile === null) {
    note("TLS_KEY_FILE", "is set without TLS_CERT_FILE, whose key it is; set both or neither");
  }
  if (tlsCertFile !== null) return problems;
  const callsByTls = upstreams?.some((url) => url.startsWith("https:")) ?? true;
  const useless = "is set without TLS_CERT_FILE, and so would do nothing";
  for (const [field, value] of [
    ["TLS_CA_FILE", tlsCaFile],
    ["TLS_SERVER_NAME", tlsServerName],
  ] as const) {
    if (value !== null && !callsByTls)
      note(field, `${useless}; set that, or, at an edge, UPSTREAM to https://…`);
  }
  if (tlsClientCaFile !== null) {
    note("TLS_CLIENT_CA_FILE", `${useless}: only a port that speaks TLS can ask for a caller's certificate`);
  }
  if (tlsPlain !== "off") note("TLS_PLAIN", `${useless}: without TLS, all is plaintext`);
  return problems;
}
