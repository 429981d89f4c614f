/**
 * The Content-Type of a call, read as RFC 9110 has it: types and parameters in any case, white space around semicolons,
 * values quoted or not. JSON is UTF-8; what other parameters say changes nothing, and is ignored.
 */
import { quote } from "./errors.ts";

const CALL_TYPES = new Set([
  "application/json",
  "application/proto",
  "application/connect+json",
  "application/connect+proto",
  "application/grpc",
  "application/grpc+proto",
  "application/grpc+json",
  "application/grpc-web",
  "application/grpc-web+proto",
  "application/grpc-web+json",
  "application/grpc-web-text",
  "application/grpc-web-text+proto",
]);

/** US-ASCII is a part of UTF-8. */
const CHARSETS = new Set(["utf-8", "utf8", "us-ascii"]);
const PARAMETER = /^\s*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`|~-]*))\s*$/;
/** At semicolons that stand in no quoted value. */
const SEMICOLON = /;(?=(?:[^"\\]|\\.|"(?:[^"\\]|\\.)*")*$)/;
const MOST_CHARACTERS = 1000;

/** What `curl -d` says of any body, and what says nothing. A page's form says the first, too: see `callers/foreign-page.ts`. */
const TAKEN_AS_JSON = /^\s*(application\/x-www-form-urlencoded\s*)?(;|$)/i;

export function isTakenAsJson(header: string | null | undefined): boolean {
  return header === null || header === undefined || TAKEN_AS_JSON.test(header);
}

export type CallType =
  /** In small letters, without parameters. */
  { readonly type: string } | { readonly problem: string };

export function callTypeOf(header: string): CallType {
  if (CALL_TYPES.has(header)) return { type: header };
  const [mediaType = "", ...parameters] =
    header.length > MOST_CHARACTERS ? [header] : header.split(SEMICOLON);
  const type = mediaType.trim().toLowerCase();
  if (!CALL_TYPES.has(type)) {
    return { problem: type === "" ? "missing" : `${quote(header)} is not known` };
  }
  for (const parameter of parameters) {
    const [, name, quoted, plain = ""] = PARAMETER.exec(parameter) ?? [];
    const value = (quoted?.replaceAll(/\\(.)/g, "$1") ?? plain).toLowerCase();
    if (name?.toLowerCase() === "charset" && !CHARSETS.has(value)) {
      return { problem: `charset ${quote(value)} is not known; utf-8 is accepted, or none` };
    }
  }
  return { type };
}
