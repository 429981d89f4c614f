/** `fetch` on Deno for calls to nodes by TLS with certificates of one's own. */
import type { Certificates, Tls } from "../tls/certificates.ts";

interface HttpClient {
  close(): void;
}

/** As much of Deno as is used here: its own types would clash with Node's. */
declare const Deno: {
  createHttpClient(options: {
    readonly caCerts?: readonly string[];
    readonly cert?: string;
    readonly key?: string;
    readonly http2?: boolean;
  }): HttpClient;
};

export function denoTlsFetch(tls: Tls): typeof globalThis.fetch {
  const clientOf = ({ own, ca }: Certificates) =>
    Deno.createHttpClient({ ...(ca !== null && { caCerts: [ca] }), ...own, http2: false });
  let known = tls.certificates();
  let client = clientOf(known);
  return (input, init) => {
    const now = tls.certificates();
    if (now !== known) {
      known = now;
      // The one before is not closed: calls under way are on it.
      client = clientOf(now);
    }
    const options: RequestInit & { readonly client: HttpClient } = { ...init, client };
    return fetch(input, options);
  };
}
