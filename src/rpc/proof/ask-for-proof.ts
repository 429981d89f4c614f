/** The side of a connection that opens it: it believes nobody before it has seen a proof, and then proves itself. */
import { randomBytes } from "node:crypto";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { NOT_RUN } from "../../core/call-headers.ts";
import type { NodeService } from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { ClusterSecrets } from "./cluster-secrets.ts";
import { NONCE_BYTES, proofOf, provenBy, type Transcript } from "./transcript.ts";

export interface Asking {
  readonly incarnation: string;
  readonly secrets: ClusterSecrets;
}

/** Whoever answered there is no process of this cluster: nothing was sent to it, and nothing it says is believed. */
class NotProved extends Error {
  override readonly name = "NotProved";
}

const MEND = "all nodes need the same CLUSTER_SECRET, or none and the same MYSQL_URL";

function notProved(address: string, why: string): ConnectError {
  return strange(`${address} does not prove that it is a node of this cluster: ${why}; ${MEND}`);
}

function strange(message: string): ConnectError {
  // As its cause: each ConnectError is an instance of all classes that extend it.
  return new ConnectError(message, Code.Unavailable, { [NOT_RUN]: "1" }, undefined, new NotProved(message));
}

export async function askForProof(
  peer: Pick<Client<typeof NodeService>, "challenge" | "prove">,
  address: string,
  { incarnation, secrets }: Asking,
  timeoutMs: number,
): Promise<void> {
  const [known, cluster] = await Promise.all([secrets.read(), secrets.cluster()]);
  const askNonce = randomBytes(NONCE_BYTES);
  const answer = await peer
    .challenge({ nonce: askNonce, incarnation, address }, { timeoutMs })
    .catch((error) => refused(error, address));
  const transcript: Transcript = {
    askNonce,
    answerNonce: answer.nonce,
    askIncarnation: incarnation,
    answerIncarnation: answer.incarnation,
    epoch: answer.epoch,
    cluster,
    address,
  };
  const isOther = answer.cluster !== cluster;
  const secret = provenBy(known, "answers", transcript, answer.proof);
  if (isOther || secret === null) {
    const why = isOther
      ? `it says cluster ${shown(answer.cluster)}, this one is ${cluster}`
      : "its proof is wrong";
    throw notProved(address, why);
  }
  // By the secret that it has used itself, so both know it.
  await peer.prove({ proof: proofOf(secret, "asks", transcript) }, { timeoutMs }).catch((error) => {
    if (!isAnswer(error)) throw error;
    if (error.code !== Code.Unauthenticated) refused(error, address);
    throw strange(`${address} refuses this node: it does not take its proof; ${MEND}`);
  });
}

function isAnswer(error: unknown): error is ConnectError {
  return error instanceof ConnectError && error.isWireError && error.code !== Code.Unavailable;
}

/** Of a process that answers, but not so. That it could not be reached is told as it is. */
function refused(error: unknown, address: string): never {
  if (!isAnswer(error)) throw error;
  throw notProved(address, shown(error.rawMessage));
}

/** Strangers choose it. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

/** What is to be said of a stranger's answer that an error was, or was caused by; null: it was not. */
export function strangerIn(error: unknown): string | null {
  for (let depth = 0; error instanceof Error && depth < 10; depth++) {
    if (error instanceof NotProved) return error.message;
    error = error.cause;
  }
  return null;
}
