/**
 * Who may call. A JSON POST without a content type needs no preflight, so a foreign page could make a
 * browser send one: CORS headers alone would only hide the answer. In `dev` the edge listens on
 * localhost without tokens, where a foreign page could also reach it by a name of its own that
 * resolves to 127.0.0.1 (DNS rebinding): there, the name is checked, too (`core/local-caller`).
 */

/** The page that the edge itself serves is always allowed. */
export function isOriginAllowed(origin: string, host: string, allowedOrigins: readonly string[]): boolean {
  if (allowedOrigins.includes("*") || allowedOrigins.includes(origin)) return true;
  // Only the hosts are compared: behind a proxy that ends TLS, the edge does not know its own scheme.
  return URL.canParse(origin) && new URL(origin).host === host;
}
