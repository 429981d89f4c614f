/** Shorter ones would be found in texts that have nothing to do with them. */
export const MIN_SECRET_CHARACTERS = 8;

/**
 * How a secret may stand in a text: as it is, and as URLs, forms, strings of JSON, hexadecimal digits and base64 (alone, or after a
 * user's name and a colon) have it.
 */
export function secretForms(value: string): readonly string[] {
  if (value.length < MIN_SECRET_CHARACTERS) return [];
  const bytes = Buffer.from(value);
  const hex = bytes.toString("hex");
  const forms = [
    value,
    // Headers lose the space around them.
    value.trim(),
    ...inUrls(value.toWellFormed()),
    ...inJson(value),
    hex,
    hex.toUpperCase(),
    ...[0, 1, 2].flatMap((before) => inBase64(bytes, before)),
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

/** With every character that JSON can have as it is; with slashes, and others than ASCII, as PHP and Python write them. */
function inJson(value: string): string[] {
  const plain = JSON.stringify(value).slice(1, -1);
  const ascii = plain.replace(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return [plain, ascii, ascii.replaceAll("/", "\\/")];
}

/**
 * What of a base64 text is the secret's alone, where so many bytes (or three, six … more) stand before it: three bytes make
 * four characters, and those that a neighbour has a part in are left out.
 */
function inBase64(bytes: Buffer, before: number): string[] {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
  const own = text.slice(Math.ceil((before * 4) / 3), Math.floor(((before + bytes.length) * 4) / 3));
  return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
}
