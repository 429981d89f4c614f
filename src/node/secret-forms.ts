import { inspect } from "node:util";
import { linesOf, rowsOf } from "./secret-rows.ts";

/** Shorter ones would be found in texts that have nothing to do with them. */
export const MIN_SECRET_CHARACTERS = 8;
/** As `base64`, `openssl` with PEM, and `xxd -p` break their lines. */
const BASE64_WIDTHS = [76, 64];
const HEX_WIDTH = 60;
/** JSON within JSON within JSON: an answer that a message quotes, which a log has as a field. */
const MAX_JSON_LEVELS = 3;

/**
 * How a secret may stand in a text: as it is, and as URLs, forms, strings of JSON and of JavaScript, hexadecimal digits and base64
 * (alone, or after a user's name and a colon) have it; of a long one, each line as well, its own and those that tools make.
 */
export function secretForms(value: string): readonly string[] {
  if (value.length < MIN_SECRET_CHARACTERS) return [];
  const bytes = Buffer.from(value);
  // `echo` and editors end a file with it, and programs are given the whole file.
  const line = Buffer.from(`${value}\n`);
  const forms = [
    value,
    // Headers lose the space around them.
    value.trim(),
    ...inUrls(value.toWellFormed()),
    ...inStrings(value),
    ...linesOf(value).flatMap((own) => [own, ...inStrings(own)]),
    ...inHex(bytes),
    ...[bytes, line].flatMap((each) => [...inHexRows(each), ...inBase64(each)]),
  ];
  return [...new Set(forms)].filter((form) => form.length >= MIN_SECRET_CHARACTERS);
}

/** As programs encode it, and as URLs that have been read are written again: each part by rules of its own. */
function inUrls(value: string): string[] {
  const component = encodeURIComponent(value);
  const inPath = URL.parse(`http://host/${value}`)?.pathname.slice(1) ?? "";
  const inQuery = URL.parse(`http://host/?${value}`)?.search.slice(1) ?? "";
  const whole = URL.parse(value)?.href ?? "";
  const inForm = new URLSearchParams([["", value]]).toString().slice(1);
  return [encodeURI(value), component, component.replaceAll("'", "%27"), inForm, inPath, inQuery, whole];
}

function inStrings(value: string): string[] {
  // Errors and `console.log` show objects with strings of JavaScript, in whichever quotes need the fewest escapes.
  const inJavaScript = inspect(value, { breakLength: Infinity, maxStringLength: null }).slice(1, -1);
  return [...inJson(value, MAX_JSON_LEVELS), inJavaScript];
}

/** With every character that JSON can have as it is; with slashes, and others than ASCII, as PHP and Python write them. */
function inJson(value: string, levels: number): string[] {
  const plain = JSON.stringify(value).slice(1, -1);
  const ascii = plain.replace(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const within = plain === value || levels === 1 ? [] : inJson(plain, levels - 1);
  return [plain, ascii, ascii.replaceAll("/", "\\/"), ...within];
}

/** In one piece, and as Node shows a Buffer. */
function inHex(bytes: Buffer): string[] {
  const hex = bytes.toString("hex");
  return [hex, hex.toUpperCase(), hex.replace(/..(?=.)/g, "$& ")];
}

function inHexRows(bytes: Buffer): string[] {
  return rowsOf(bytes.toString("hex"), HEX_WIDTH).flatMap((row) => [row, row.toUpperCase()]);
}

function inBase64(bytes: Buffer): string[] {
  const text = bytes.toString("base64");
  const rows = BASE64_WIDTHS.flatMap((width) => rowsOf(text, width));
  const parts = [0, 1, 2].flatMap((before) => partsOfBase64(bytes, before));
  return [...rows, ...parts, ...parts.map((part) => part.replaceAll("+", "-").replaceAll("/", "_"))];
}

/**
 * What of a base64 text is the secret's, where so many bytes (or three, six … more) stand before it: three bytes make four
 * characters, and those that a neighbour has a part in are left out, but at the text's end, where there is none.
 */
function partsOfBase64(bytes: Buffer, before: number): string[] {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
  const begin = Math.ceil((before * 4) / 3);
  const own = text.slice(begin, Math.floor(((before + bytes.length) * 4) / 3));
  const padded = text.slice(begin);
  return [own, padded, padded.replace(/=+$/, "")];
}
