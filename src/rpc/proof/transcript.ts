/** What a side of a connection signs to prove that it knows the cluster's secret, without sending it. */
import { createHmac, timingSafeEqual } from "node:crypto";

export const NONCE_BYTES = 32;

/** All that two processes agree upon when they meet. */
export interface Transcript {
  /** Of the process that opened the connection, and of the one that it reached. */
  readonly askNonce: Uint8Array;
  readonly answerNonce: Uint8Array;
  readonly askIncarnation: string;
  readonly answerIncarnation: string;
  /** The epoch in which the process that was reached is master; 0: it is not. */
  readonly epoch: number;
  /** The identity of the cluster, as each side's own database has it. */
  readonly cluster: string;
  /** Where the one reached the other: who stands between them is reached elsewhere, so what it passes on proves nothing. */
  readonly address: string;
}

/** Each side signs its own, so that a proof cannot be sent back to who made it. */
export type Side = "asks" | "answers";

const VERSION = "elastic-job/1";

export function proofOf(secret: string, side: Side, transcript: Transcript): Uint8Array {
  const { askNonce, answerNonce, askIncarnation, answerIncarnation, epoch, cluster, address } = transcript;
  // An array in JSON: no two of them have the same text.
  const text = JSON.stringify([
    VERSION,
    side,
    Buffer.from(askNonce).toString("hex"),
    Buffer.from(answerNonce).toString("hex"),
    askIncarnation,
    answerIncarnation,
    epoch,
    cluster,
    address,
  ]);
  return createHmac("sha256", secret).update(text).digest();
}

/** The secret by which the other side has made its proof; null: by none of these. Takes as long for any wrong one. */
export function provenBy(
  secrets: readonly string[],
  side: Side,
  transcript: Transcript,
  proof: Uint8Array,
): string | null {
  let found: string | null = null;
  for (const secret of secrets) {
    const expected = proofOf(secret, side, transcript);
    if (proof.byteLength === expected.byteLength && timingSafeEqual(proof, expected)) found ??= secret;
  }
  return found;
}
