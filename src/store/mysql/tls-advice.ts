/** What to change in MYSQL_URL when a connection is refused, or fails because of TLS, which neither server nor driver say. */
import { type TlsFailure, tlsFailureIn, tlsFailureText } from "../../tls/tls-failure.ts";
import type { DriverError } from "./errors.ts";
import type { MysqlTarget } from "./mysql-url.ts";

const ACCESS_DENIED = 1045;
const PLAIN_PROHIBITED = 3159;

const MEND: Readonly<Record<TlsFailure, string>> = {
  untrusted: "name the authority that has signed it: ssl-ca=/path/ca.pem",
  out_of_date: "renew it, and look at the clocks of both machines",
  name: "call the server by the name in its certificate, or compare none, by ssl-mode=VERIFY_CA",
  plain: "name the port of MySQL itself",
  certificate_asked: "show it one: ssl-cert=/path/cert.pem&ssl-key=/path/key.pem",
  certificate_refused: "show it one that its ssl_ca has signed: ssl-cert=…&ssl-key=…",
};
const LOOK_AT_ACCOUNT = "look at its user and password in MYSQL_URL (MYSQL_PASSWORD)";
const ADD_TLS = "add ssl-mode=VERIFY_IDENTITY, or begin it with mysqls:";

/** By TLS 1.3, a server says that it does not take a certificate only after the handshake: the first read ends with its alert. */
export function tlsFailureOf({ code, message }: DriverError): TlsFailure | null {
  if (code === "HANDSHAKE_SSL_ERROR") return tlsFailureIn(message);
  return code?.startsWith("ERR_SSL_") === true ? tlsFailureIn(code) : null;
}

/** The same error for whoever looks at its number and code, with the advice in its message. */
export function withTlsAdvice(error: unknown, target: Pick<MysqlTarget, "tls" | "own">): unknown {
  if (!(error instanceof Error)) return error;
  const advice = adviceOn(error, target);
  if (advice === null) return error;
  const { errno, code, fatal, sqlMessage, message }: DriverError = error;
  const told = new Error(`${sqlMessage ?? message}; ${advice}`, { cause: error });
  return Object.assign(told, {
    ...(errno !== undefined && { errno }),
    ...(code !== undefined && { code }),
    ...(fatal !== undefined && { fatal }),
  });
}

function adviceOn(error: DriverError, { tls, own }: Pick<MysqlTarget, "tls" | "own">): string | null {
  switch (error.errno) {
    case PLAIN_PROHIBITED:
      return `the server takes connections by TLS only: ${ADD_TLS}`;
    case ACCESS_DENIED:
      // A server says no more of an account that has to come by TLS, or with a certificate; MariaDB neither where all have to.
      if (tls === "DISABLED") {
        return `${LOOK_AT_ACCOUNT}; if the server takes this account, or all, by TLS only, ${ADD_TLS}`;
      }
      return own === null
        ? `${LOOK_AT_ACCOUNT}; if this account has to show a certificate, add ssl-cert and ssl-key`
        : LOOK_AT_ACCOUNT;
  }
  if (error.code === "HANDSHAKE_NO_SSL_SUPPORT") {
    return "switch TLS on in the server; only ssl-mode=DISABLED does without, for all on the way to read";
  }
  const failure = tlsFailureOf(error);
  return failure === null ? null : `${tlsFailureText(failure)}: ${MEND[failure]}`;
}
