/**
 * The side of a connection that is reached: what it answers to a challenge, and whether the one that asks has proved
 * itself in turn. Each connection is asked once.
 */
import { randomBytes } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ChallengeRequest, ProveRequest } from "../../gen/elasticjob/v1/node_service_pb.ts";
import { notRun } from "../error-codes.ts";
import type { ClusterSecrets } from "./cluster-secrets.ts";
import { NONCE_BYTES, proofOf, provenBy, type Transcript } from "./transcript.ts";

/** What is known of who is at the other end of a connection. */
export interface ConnectionProof {
  /** The incarnation that is proved; null: none is. */
  incarnation: string | null;
  /** What is to be proved next; null: nothing was asked. */
  transcript: Transcript | null;
}

export interface Answering {
  readonly incarnation: string;
  /** This process's `ip:port`, as others know it. */
  readonly address: () => string;
  /** The epoch in which this process is master; 0: it is not. */
  readonly epoch: () => number;
  readonly secrets: ClusterSecrets;
}

const LONGEST_INCARNATION = 64;

export async function answerChallenge(
  { incarnation, address, epoch, secrets }: Answering,
  asked: ChallengeRequest,
  connection: ConnectionProof,
) {
  if (asked.nonce.byteLength !== NONCE_BYTES || asked.incarnation.length > LONGEST_INCARNATION) {
    throw new ConnectError(`nonce: ${NONCE_BYTES} bytes are accepted`, Code.InvalidArgument);
  }
  // What is signed for another address could be shown to somebody who looks for this process there.
  if (asked.address !== address()) {
    throw new ConnectError("address: this process is reached at another one", Code.FailedPrecondition);
  }
  const [[secret = ""], cluster] = await Promise.all([secrets.read(), secrets.cluster()]).catch(() => {
    throw notRun("this node has not read the cluster's secret yet");
  });
  const transcript: Transcript = {
    askNonce: asked.nonce,
    answerNonce: randomBytes(NONCE_BYTES),
    askIncarnation: asked.incarnation,
    answerIncarnation: incarnation,
    epoch: epoch(),
    cluster,
    address: asked.address,
  };
  connection.transcript = transcript;
  return {
    nonce: transcript.answerNonce,
    incarnation,
    epoch: transcript.epoch,
    cluster,
    proof: proofOf(secret, "answers", transcript),
  };
}

/** Throws `unauthenticated` for a proof that is none. */
export async function takeProof(
  { secrets }: Answering,
  { proof }: ProveRequest,
  connection: ConnectionProof,
): Promise<void> {
  const { transcript } = connection;
  connection.transcript = null;
  if (transcript === null) {
    throw new ConnectError("this connection was asked for nothing to prove", Code.FailedPrecondition);
  }
  if (provenBy(await secrets.read(), "asks", transcript, proof) === null) {
    throw new ConnectError(
      "this proves no node of this cluster: all of them need the same CLUSTER_SECRET, or none and the same MYSQL_URL",
      Code.Unauthenticated,
    );
  }
  connection.incarnation = transcript.askIncarnation;
}
