/** Shorter ones would be found in texts that have nothing to do with them. */
export const MIN_SECRET_CHARACTERS = 8;

/** How a secret may stand in a text: as it is, and as URLs, forms, hexadecimal digits and base64 (alone, or after a user's name and a colon) have it. */
export function secretForms(value: string): readonly string[] {
  if (value.length < MIN_SECRET_CHARACTERS) return [];
  const bytes = new TextEncoder().encode(value);
  const hex = Buffer.from(bytes).toString("hex");
  const forms = [
    value,
    encodeURI(value.toWellFormed()),
    encodeURIComponent(value.toWellFormed()),
    new URLSearchParams([["", value]]).toString().slice(1),
    hex,
    hex.toUpperCase(),
    ...[0, 1, 2].flatMap((before) => base64Within(bytes, before)),
  ];
  return [...new Set(forms)].filter((form) => form.length >= MIN_SECRET_CHARACTERS);
}

/**
 * What of a base64 text is the secret's alone, where so many bytes (or three, six … more) stand before it: three bytes make
 * four characters, and those that a neighbour has a part in are left out.
 */
function base64Within(bytes: Uint8Array, before: number): string[] {
  const padded = new Uint8Array(before + bytes.length);
  padded.set(bytes, before);
  const text = Buffer.from(padded).toString("base64");
  const own = text.slice(Math.ceil((before * 4) / 3), Math.floor((padded.length * 4) / 3));
  return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
}
