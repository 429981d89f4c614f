/**
 * Page tokens: where a list goes on. They are opaque to callers, and belong to one kind of list and
 * one set of filters. The checksum tells a token of ours from one that was cut, typed or changed, so
 * that it is refused rather than shows another page; it is no secret and protects nothing: a token
 * says nothing that its caller could not ask for.
 */
import { createHash } from "node:crypto";
import type { AuditKey } from "../../core/audit/audit-record.ts";
import { invalidArgument, quote } from "../../core/errors.ts";
import type { ResultKey } from "../../store/job-store.ts";

/** Changes with the format, so that tokens of another version are refused. */
const SALT = "elastic-job page token 1";
const CHECKSUM_BYTES = 9;
const LONGEST_TOKEN = 256;

/** What a list was filtered by; the order of the names does not matter. */
export type TokenFilter = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** `before`: the id of the last job of the page. */
export function jobsPageToken(filter: TokenFilter, before: number): string {
  return encode("jobs", filter, [before]);
}

/** The empty token (null) is the first page. Throws `invalid_argument` for a token that is not of this list. */
export function readJobsPageToken(token: string, filter: TokenFilter): number | null {
  if (token === "") return null;
  const [before] = decode("jobs", filter, token);
  return before ?? null;
}

export function resultsPageToken(filter: TokenFilter, before: ResultKey): string {
  return encode("results", filter, [before.jobId, before.claim, before.late ? 1 : 0]);
}

/** The empty token (null) is the first page. Throws `invalid_argument` for a token that is not of this list. */
export function readResultsPageToken(token: string, filter: TokenFilter): ResultKey | null {
  if (token === "") return null;
  const [jobId = 0, claim = 0, late = 0] = decode("results", filter, token);
  return { jobId, claim, late: late === 1 };
}

export function auditPageToken(filter: TokenFilter, { at, id }: AuditKey): string {
  return encode("audit", filter, [at, id]);
}

/** The empty token (null) is the first page. Throws `invalid_argument` for a token that is not of this list. */
export function readAuditPageToken(token: string, filter: TokenFilter): AuditKey | null {
  if (token === "") return null;
  const [at = 0, id = 0] = decode("audit", filter, token);
  return { at, id };
}

/** `after`: the last handler of the page. */
export function handlersPageToken(after: string): string {
  return encodeText("handlers", {}, after);
}

/** The empty token is the first page. Throws `invalid_argument` for a token that is not of this list. */
export function readHandlersPageToken(token: string): string {
  return token === "" ? "" : decodeText("handlers", {}, token);
}

export interface LogPosition {
  readonly claim: number;
  /** The number of the last line of the page. */
  readonly sequence: number;
}

export function logPageToken(filter: TokenFilter, { claim, sequence }: LogPosition): string {
  return encode("log", filter, [claim, sequence]);
}

/** The empty token (null) is the first page. Throws `invalid_argument` for a token that is not of this list. */
export function readLogPageToken(token: string, filter: TokenFilter): LogPosition | null {
  if (token === "") return null;
  const [claim = 0, sequence = 0] = decode("log", filter, token);
  return { claim, sequence };
}

type Kind = "jobs" | "results" | "audit" | "handlers" | "log";

function encode(kind: Kind, filter: TokenFilter, cursor: readonly number[]): string {
  return encodeText(kind, filter, cursor.join("."));
}

function decode(kind: Kind, filter: TokenFilter, token: string): number[] {
  return decodeText(kind, filter, token).split(".").map(Number);
}

/** `position`: Latin-1 alone. */
function encodeText(kind: Kind, filter: TokenFilter, position: string): string {
  return Buffer.concat([checksum(kind, filter, position), Buffer.from(position)]).toString("base64url");
}

function decodeText(kind: Kind, filter: TokenFilter, token: string): string {
  const bytes = token.length <= LONGEST_TOKEN ? Buffer.from(token, "base64url") : Buffer.alloc(0);
  const position = bytes.subarray(CHECKSUM_BYTES).toString("latin1");
  // Buffer skips characters that are not base64url, so the spelling is compared as well.
  const isOurs =
    bytes.toString("base64url") === token &&
    checksum(kind, filter, position).equals(bytes.subarray(0, CHECKSUM_BYTES));
  if (!isOurs) {
    throw invalidArgument([
      {
        field: "pageToken",
        message: `${quote(token)} is not a token of this list; nextPageToken of the last answer, with the same filters, or none is accepted`,
      },
    ]);
  }
  return position;
}

function checksum(kind: Kind, filter: TokenFilter, position: string): Buffer {
  const filters = Object.entries(filter)
    .filter(([, value]) => value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([SALT, kind, filters, position]))
    .digest()
    .subarray(0, CHECKSUM_BYTES);
}
