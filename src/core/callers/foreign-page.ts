/**
 * Whether a browser sends a call for a page that may not. Without a preflight, a foreign page can have a POST of a plain
 * type sent, whatever answer it may read: so it is told by what browsers say of themselves, before anything is done.
 */
import { quote } from "../errors.ts";

/** What pages can have sent without a preflight. `curl -d` says the first of itself, too. */
const FORM = /^\s*(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\s*(;|$)/i;
const FROM_ITSELF = ["none", "same-origin"];

type Header = (name: string) => string | null | undefined;

/** What is wrong with the call, in a sentence; null: it is no page's, or one's that may call. `host`: as the call names this server; asked for where a page says its own. */
export function foreignPage(
  header: Header,
  host: () => string,
  allowedOrigins: readonly string[],
  method = "POST",
): string | null {
  const origin = header("origin");
  if (typeof origin === "string") {
    if (isOriginAllowed(origin, host(), allowedOrigins)) return null;
    return `Origin: ${quote(origin)} is not allowed to call; add it to ALLOWED_ORIGINS of an edge`;
  }
  const site = header("sec-fetch-site");
  if (typeof site === "string" && !FROM_ITSELF.includes(site)) {
    return `Sec-Fetch-Site: ${quote(site)} is a page from elsewhere, and says no Origin; one in ALLOWED_ORIGINS of an edge is accepted`;
  }
  // Any page can have an image fetched; over plain HTTP, browsers do not say of which site it is.
  const isFetched = typeof site !== "string" && method !== "POST" && saysBrowser(header);
  if (isFetched && !isOriginAllowed(header("referer") ?? "", host(), [])) {
    return `Sec-Fetch-Site: is missing, so that it is not known for which page a browser sends this ${method}; POST is accepted`;
  }
  if (FORM.test(header("content-type") ?? "") && isBrowser(header)) {
    return "Content-Type: a form of a page that says no Origin is not accepted; application/json is";
  }
  return null;
}

/** The page that an edge itself serves is always allowed. */
function isOriginAllowed(origin: string, host: string, allowedOrigins: readonly string[]): boolean {
  if (allowedOrigins.includes("*") || allowedOrigins.includes(origin)) return true;
  // Only the hosts are compared: behind a proxy that ends TLS, the edge does not know its own scheme.
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** No program sends a form with one of these. */
function isBrowser(header: Header): boolean {
  return (
    saysBrowser(header) ||
    ["sec-fetch-mode", "sec-fetch-dest", "cookie", "referer"].some((name) => typeof header(name) === "string")
  );
}

/** `fetch` of Node says a mode of its own. */
function saysBrowser(header: Header): boolean {
  return /^mozilla\//i.test(header("user-agent") ?? "");
}
