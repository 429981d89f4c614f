/** What Redis does not let this process do, by its accounts: its own words, and what is to be done. */
import { ErrorReply } from "redis";

const LONGEST = 200;
/** Within a script it says so in other words, by version. */
const NOT_ALLOWED = /^NOPERM|ACL failure|can't run this command|no permissions/i;
const NOT_KNOWN = /^(WRONGPASS|NOAUTH)|AUTH <password> called without any password/;

/** null: an error of another kind, or none of Redis's. */
export function refusalIn(error: unknown): string | null {
  if (!(error instanceof ErrorReply)) return null;
  const said = error.message.slice(0, LONGEST);
  if (NOT_KNOWN.test(said))
    return `${said}: set the server's user and password in REDIS_URL and REDIS_PASSWORD`;
  return NOT_ALLOWED.test(said)
    ? `${said}: give its account the rules of "The Redis account" in docs/operating.md`
    : null;
}
