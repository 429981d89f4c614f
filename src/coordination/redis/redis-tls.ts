/** TLS to Redis: what its URL's files say, and what to change in the URL when a connection fails because of TLS. */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { ConnectionTimeoutError, SocketClosedUnexpectedlyError } from "redis";
import { ElasticJobError } from "../../core/errors.ts";
import { certificatesIn, checkPair } from "../../tls/certificates.ts";
import { type TlsFailure, tlsFailure, tlsFailureText } from "../../tls/tls-failure.ts";
import type { RedisTls } from "./redis-url.ts";

/** Throws `failed_precondition` when a file cannot be used. */
export function readRedisTls(tls: RedisTls | null): ConnectionOptions | null {
  if (tls === null) return null;
  const { caFile, own, serverName } = tls;
  return {
    ...(caFile !== null && { ca: using("cacert", () => authorities(caFile)) }),
    ...(own !== null && using("cert and key", () => pair(own.certFile, own.keyFile))),
    ...(serverName !== null && { servername: serverName }),
  };
}

function authorities(path: string): string {
  const pem = readFileSync(path, "utf8");
  certificatesIn(pem);
  return pem;
}

function pair(certFile: string, keyFile: string) {
  const [cert, key] = [readFileSync(certFile, "utf8"), readFileSync(keyFile, "utf8")];
  checkPair(cert, key);
  return { cert, key };
}

function using<T>(parameter: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new ElasticJobError("failed_precondition", `REDIS_URL: ${parameter} cannot be used: ${said}`, {
      cause,
    });
  }
}

const MEND: Readonly<Record<TlsFailure, string>> = {
  untrusted: "name the authority that has signed it: cacert=/path/ca.pem in REDIS_URL",
  out_of_date: "renew it, and look at the clocks of both machines",
  name: "name the one that it has: sni=… in REDIS_URL, or call the server by it",
  plain: "use its tls-port in REDIS_URL, or redis: for all on the way to read",
  certificate_asked: "show it one: cert=/path/cert.pem&key=/path/key.pem in REDIS_URL",
  certificate_refused: "show it one that its tls-ca-cert-file has signed: cert=…&key=… in REDIS_URL",
};

/** null: it has nothing to do with TLS. `wasThere`: this server has answered before, so that it speaks what its URL says. */
export function tlsAdvice(error: unknown, isSecure: boolean, wasThere: boolean): string | null {
  const failure = tlsFailure(error);
  if (failure !== null) return `${tlsFailureText(failure)}: ${MEND[failure]}`;
  if (wasThere) return null;
  // A server in the clear waits for the end of what it takes for a command.
  if (isSecure && error instanceof ConnectionTimeoutError)
    return "if it speaks no TLS on this port, use its tls-port in REDIS_URL";
  const hasEnded = error instanceof SocketClosedUnexpectedlyError || codeOf(error) === "ECONNRESET";
  return !isSecure && hasEnded ? "if it speaks TLS on this port, use rediss: in REDIS_URL" : null;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
