/**
 * What a process says in its log of its own certificate: who calls it is told that it is out of date, or for another
 * name, but the process itself hears of that nothing at all. Each is told once, and that it is over, too.
 */
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { Logger } from "../core/logger.ts";
import { type Certificates, certificatesIn, outOfDate } from "../tls/certificates.ts";

/** So long before its end a renewal that has not come by itself is worth a warning; one for few days has no longer than a fifth of them. */
const WARN_BEFORE_MS = 7 * 86_400_000;
const WARN_PART = 5;

interface Verdict {
  readonly level: "warn" | "error";
  readonly message: string;
  readonly problem: string;
}

export class OwnCertificate {
  readonly #logger: Pick<Logger, "info" | "warn" | "error">;
  /** By which name others call this process; null: not known, as of an edge. */
  readonly #calledBy: () => string | null;
  #read: { readonly pem: string; readonly found: readonly X509Certificate[] } | null = null;
  #told = "";

  constructor(logger: Pick<Logger, "info" | "warn" | "error">, calledBy: () => string | null) {
    this.#logger = logger;
    this.#calledBy = calledBy;
  }

  /** Of those that are shown by now, and at that time. */
  look({ own }: Certificates, now: number): void {
    if (own === null) return;
    if (this.#read?.pem !== own.cert) this.#read = { pem: own.cert, found: certificatesIn(own.cert) };
    const verdict = this.#judge(own.cert, this.#read.found, now);
    if (verdict?.message === this.#told) return;
    if (verdict !== null) this.#logger[verdict.level]({ problem: verdict.problem }, verdict.message);
    else if (this.#told !== "") this.#logger.info({}, "TLS_CERT_FILE is in order again");
    this.#told = verdict?.message ?? "";
  }

  #judge(pem: string, found: readonly X509Certificate[], now: number): Verdict | null {
    const over = outOfDate(pem, now);
    if (over !== null) {
      const message = "TLS_CERT_FILE is out of date: whoever calls refuses it; renew it";
      return { level: "error", problem: over, message };
    }
    const name = this.#calledBy();
    const [own] = found;
    if (own !== undefined && name !== null && !isFor(own, name)) {
      const message =
        "TLS_CERT_FILE is for another name than other nodes call this one by, and so they refuse it; issue it for that name, or set TLS_SERVER_NAME at all nodes";
      return {
        level: "error",
        problem: `they call it ${name}, the certificate is for ${namesOf(own)}`,
        message,
      };
    }
    const ending = found.find(({ validFromDate, validToDate }) => {
      const to = validToDate.getTime();
      return now > to - Math.min(WARN_BEFORE_MS, (to - validFromDate.getTime()) / WARN_PART);
    });
    if (ending === undefined) return null;
    const problem = `the certificate of ${nameOf(ending)} is valid until ${ending.validToDate.toISOString()}`;
    return { level: "warn", problem, message: "TLS_CERT_FILE is soon out of date; renew it" };
  }
}

function isFor(certificate: X509Certificate, name: string): boolean {
  const found = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
  return found !== undefined;
}

function namesOf(certificate: X509Certificate): string {
  return certificate.subjectAltName ?? nameOf(certificate);
}

function nameOf({ subject }: X509Certificate): string {
  return subject.replaceAll("\n", ", ");
}
