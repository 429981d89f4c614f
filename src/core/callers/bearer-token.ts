/** Secrets that callers prove to have, as `Authorization: Bearer <token>` (RFC 6750). */

/** What is wrong with a token that is to be sent, without a character of it; null: nothing. `fetch` would repeat it whole. */
export function tokenProblem(token: string): string | null {
  if (/^[\x21-\x7e]*$/.test(token)) return null;
  return "has a character that no header carries; printable ASCII without spaces is accepted";
}

/** null: none, or of another scheme. */
export function bearerToken(authorization: string | null): string | null {
  return /^bearer +([^\s]+) *$/i.exec(authorization ?? "")?.[1] ?? null;
}

/** Takes the same time wherever a wrong one differs, and however many it is compared with before the right one. */
export function isOneOf(token: string | null, secrets: readonly string[]): boolean {
  let found = false;
  for (const secret of secrets) {
    const same = token !== null && isSame(token, secret);
    found ||= same;
  }
  return found;
}

function isSame(given: string, secret: string): boolean {
  let difference = given.length ^ secret.length;
  // Past the end of `given`, NaN counts as 0, which no character of a secret is.
  for (let at = 0; at < secret.length; at++) difference |= secret.charCodeAt(at) ^ given.charCodeAt(at);
  return difference === 0;
}
