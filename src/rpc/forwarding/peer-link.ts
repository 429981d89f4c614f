/** How a node connects to another: in the clear, or by TLS; and what is to be done where the two do not fit together. */
import { constants, type Http2Session, type SecureClientSessionOptions } from "node:http2";
import type { ConnectError } from "@connectrpc/connect";
import type { Tls } from "../../tls/certificates.ts";
import { connectHttp2, dialOptions } from "../../tls/connect.ts";
import { type TlsFailure, tlsFailure, tlsFailureText } from "../../tls/tls-failure.ts";
import { notRun } from "../error-codes.ts";

export interface PeerLink {
  readonly url: string;
  readonly options: SecureClientSessionOptions;
  /** Hears how a connection goes on once it is made. */
  readonly watch: (session: Http2Session) => void;
  /** Throws what is to be done about an error, or the error itself. */
  readonly explain: (error: unknown) => never;
}

const MEND: Readonly<Record<TlsFailure, string>> = {
  untrusted:
    "sign it by an authority in TLS_CA_FILE of this node, or add the one that has signed it to that file",
  out_of_date: "renew TLS_CERT_FILE there, and look at the clocks of both machines",
  name: "issue it for the host in its address, or set TLS_SERVER_NAME here to the name that all nodes' certificates have",
  plain:
    "all nodes of a cluster have TLS, or none; set TLS_CERT_FILE and TLS_KEY_FILE there, or TLS_PLAIN=dial here until all have them",
  certificate_asked: "set TLS_CERT_FILE here to one that an authority in TLS_CLIENT_CA_FILE there has signed",
  certificate_refused: "sign TLS_CERT_FILE of this node by an authority in TLS_CLIENT_CA_FILE there",
};

const TLS_ONLY = "it speaks TLS only, and this node does not: ";
const HAVE_TLS = "all nodes of a cluster have TLS, or none; set TLS_CERT_FILE and TLS_KEY_FILE here";
const DIAL_TLS = "set TLS_PLAIN=accept here, now that all nodes have TLS, and unset it later";

/** What became of the last connection. */
interface Made {
  /** Whether the other side has said anything in it. */
  heard: boolean;
  isTlsOnly: boolean;
  broke: unknown;
}

export function peerLink(address: string, tls: Tls | null): PeerLink {
  const dial = tls === null || tls.plain === "dial" ? null : tls;
  let last: Made = { heard: false, isTlsOnly: false, broke: null };
  const connect = (authority: URL, by: Tls) => {
    const made = { heard: false, isTlsOnly: false, broke: null as unknown };
    last = made;
    const socket = connectHttp2(authority, dialOptions(by));
    // What is said of our certificate comes when calls are under way, which only hear that they are cancelled.
    socket.on("error", (error) => {
      made.broke = error;
    });
    return socket;
  };
  return {
    url: `${dial === null ? "http" : "https"}://${address}`,
    options: dial === null ? {} : { createConnection: (authority) => connect(authority, dial) },
    watch(session) {
      const made = dial === null ? { heard: false, isTlsOnly: false, broke: null } : last;
      last = made;
      session.once("remoteSettings", () => {
        made.heard = true;
      });
      session.on("goaway", (code) => {
        made.isTlsOnly = code === constants.NGHTTP2_INADEQUATE_SECURITY;
      });
      session.once("close", () => {
        // So Node treats whoever shows a certificate that it does not take: it says nothing. And what it says of one that is
        // missing can be overtaken by the reset of the connection.
        if (dial !== null && !made.heard && tlsFailure(made.broke) === null) made.broke = new WithoutAWord();
      });
    },
    explain(error) {
      const failure =
        tlsFailure(error) ??
        (last.broke instanceof WithoutAWord ? onlyGuessed(dial) : tlsFailure(last.broke));
      if (failure !== null) throw mended(address, `${tlsFailureText(failure)}: ${MEND[failure]}`, error);
      if (!last.isTlsOnly) throw error;
      throw mended(address, `${TLS_ONLY}${tls === null ? HAVE_TLS : DIAL_TLS}`, error);
    },
  };
}

function onlyGuessed(dial: Tls | null): TlsFailure {
  return dial?.certificates().own === null ? "certificate_asked" : "certificate_refused";
}

/** The other side has ended the connection after the handshake, before it said anything. */
class WithoutAWord extends Error {
  override readonly name = "WithoutAWord";
}

/** Nothing of a call was sent: the connection that was to carry it has never come to be. */
class NoLink extends Error {
  override readonly name = "NoLink";
}

function mended(address: string, what: string, cause: unknown): ConnectError {
  const message = `no connection to ${address}: ${what}`;
  const error = notRun(message);
  error.cause = new NoLink(message, { cause });
  return error;
}

/** What is to be done about TLS, if that is what an error was caused by; null: it was not. */
export function linkProblemIn(error: unknown): string | null {
  for (let depth = 0; error instanceof Error && depth < 10; depth++) {
    if (error instanceof NoLink) return error.message;
    error = error.cause;
  }
  return null;
}
