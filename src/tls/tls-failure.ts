/** What an error of a TLS connection means, in words that name no setting: who connected knows which one is to be changed. */

/**
 * - `untrusted`: no authority that is believed here has signed the certificate;
 * - `out_of_date`: it is valid no more, or not yet;
 * - `name`: it is for another host;
 * - `plain`: the other side speaks no TLS;
 * - `certificate_asked`: it asks for a certificate, and got none;
 * - `certificate_refused`: it got one that it does not take.
 */
export type TlsFailure =
  | "untrusted"
  | "out_of_date"
  | "name"
  | "plain"
  | "certificate_asked"
  | "certificate_refused";

const MEANING: Readonly<Record<TlsFailure, string>> = {
  untrusted: "its certificate is signed by no authority that is trusted here",
  out_of_date: "its certificate is out of date",
  name: "its certificate is for another name",
  plain: "it speaks no TLS",
  certificate_asked: "it asks for a certificate, and was shown none that it takes",
  certificate_refused: "it does not take the certificate that it was shown",
};

/** By codes of Node, and by the words of OpenSSL and of Deno, which has no codes; both in the letters of codes. */
const KNOWN: readonly (readonly [TlsFailure, RegExp])[] = [
  ["name", /ALTNAME|HOSTNAME_MISMATCH|IP_ADDRESS_MISMATCH|NOTVALIDFORNAME|NOT_VALID_FOR_NAME/],
  [
    "out_of_date",
    /CERT(IFICATE)?_HAS_EXPIRED|CERT(IFICATE_IS)?_NOT_YET_VALID|PEER_CERTIFICATE__(EXPIRED|NOTVALIDYET)/,
  ],
  [
    "untrusted",
    /UNABLE_TO_(GET_(LOCAL_)?ISSUER|VERIFY)|SELF_SIGNED|CERT_UNTRUSTED|INVALID_CA|CERT_SIGNATURE_FAILURE|INVALID_PURPOSE|PEER_CERTIFICATE__(UNKNOWNISSUER|BADSIGNATURE|OTHER)/,
  ],
  ["plain", /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|INVALIDCONTENTTYPE/],
  ["certificate_asked", /ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE|ALERT__CERTIFICATEREQUIRED/],
  [
    "certificate_refused",
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE|DECRYPT_ERROR)|ALERT__(UNKNOWNCA|BADCERTIFICATE|CERTIFICATEEXPIRED|DECRYPTERROR)/,
  ],
];

const DEEPEST = 10;

/** null: it is none of these. By codes alone: in an error's text there can be words of whoever answered. */
export function tlsFailure(error: unknown): TlsFailure | null {
  for (
    let cause = error, depth = 0;
    cause instanceof Error && depth < DEEPEST;
    cause = cause.cause, depth++
  ) {
    const code = "code" in cause ? String(cause.code) : "";
    // The system's code for whatever OpenSSL has to say, which then stands in the message.
    const failure = tlsFailureIn(code === "EPROTO" ? cause.message : code);
    if (failure !== null) return failure;
  }
  return null;
}

/** Of an error that nobody but the runtime has worded. */
export function tlsFailureIn(text: string): TlsFailure | null {
  const letters = text.toUpperCase().replace(/[^A-Z0-9]/g, "_");
  return KNOWN.find(([, pattern]) => pattern.test(letters))?.[0] ?? null;
}

export function tlsFailureText(failure: TlsFailure): string {
  return MEANING[failure];
}
