/**
 * Whether a caller is of this machine, and means it. A page of somebody else's reaches a port of this machine by a name of
 * its own that leads here (DNS rebinding), and a proxy on this machine passes on what comes from everywhere.
 */
const LOCAL_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);
const LOOPBACK = /^(::ffff:)?127\.|^::1$/;
/** What proxies say of the caller that they stand for. */
const PROXIES_SAY = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "via",
];

/** What all others are told. */
export const ONLY_LOCAL =
  "without API_TOKENS, only callers of the same machine are answered, at localhost and not through a proxy; set API_TOKENS, or OPEN_API=on to answer everybody";

/** `host`: of its Host header, or `:authority`. */
function isLocalHost(host: string): boolean {
  return URL.canParse(`http://${host}`) && LOCAL_NAMES.has(new URL(`http://${host}`).hostname);
}

/** `remote`: the address that its connection comes from. */
export function isLocalCaller(
  remote: string | undefined,
  host: string | null | undefined,
  hasHeader: (name: string) => boolean,
): boolean {
  return (
    remote !== undefined && LOOPBACK.test(remote) && isLocalHost(host ?? "") && !PROXIES_SAY.some(hasHeader)
  );
}
