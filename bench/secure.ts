/** What `--secure` puts before our nodes: a token for callers, and TLS for callers and between nodes. Proofs are always there. */
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificateFolder, LOCAL } from "../test/fixtures/certificates.ts";

export interface Secure {
  /** Settings of nodes. */
  readonly env: Readonly<Record<string, string>>;
  readonly token: string;
  /** The certificates by which nodes' are judged, in PEM. */
  readonly ca: string;
  remove(): void;
}

export function makeSecure(): Secure {
  const folder = certificateFolder();
  const authority = folder.authority("bench");
  const { certFile, keyFile } = authority.issue("node", LOCAL);
  const token = randomBytes(24).toString("hex");
  const tokens = join(folder.path, "tokens");
  writeFileSync(tokens, `bench operate ${token}\n`);
  return {
    env: {
      TLS_CERT_FILE: certFile,
      TLS_KEY_FILE: keyFile,
      TLS_CA_FILE: authority.file,
      API_TOKENS_FILE: tokens,
    },
    token,
    ca: authority.pem,
    remove: () => rmSync(folder.path, { recursive: true }),
  };
}
