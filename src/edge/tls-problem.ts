/** What is to be done when an upstream cannot be reached because of TLS. */
import { type TlsFailure, tlsFailure, tlsFailureIn, tlsFailureText } from "../tls/tls-failure.ts";

const MEND: Readonly<Record<TlsFailure, string>> = {
  untrusted: "name the authority that has signed it in TLS_CA_FILE of the edge",
  out_of_date: "renew it, and look at the clocks of both machines",
  name: "UPSTREAM has to call it by the name in it, or TLS_SERVER_NAME of the edge to be that name",
  plain: "UPSTREAM has to be http://…, or the node to have TLS_CERT_FILE and TLS_KEY_FILE",
  certificate_asked:
    "set TLS_CERT_FILE of the edge to one that an authority in TLS_CLIENT_CA_FILE there has signed",
  certificate_refused: "sign TLS_CERT_FILE of the edge by an authority in TLS_CLIENT_CA_FILE there",
};

/** Of an error of `fetch`; null: it is about something else. Nothing of a call was done: its connection never came to be. */
export function tlsProblem(error: unknown): string | null {
  const failure = tlsFailure(error) ?? inWords(error);
  return failure === null ? null : `${tlsFailureText(failure)}: ${MEND[failure]}`;
}

/** Deno has no codes. */
function inWords(error: unknown): TlsFailure | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const failure = tlsFailureIn(cause.message);
    if (failure !== null) return failure;
  }
  return null;
}
