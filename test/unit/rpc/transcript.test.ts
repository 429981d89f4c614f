import { expect, test } from "vitest";
import { proofOf, provenBy, type Transcript } from "../../../src/rpc/proof/transcript.ts";

const AGREED: Transcript = {
  askNonce: new Uint8Array(32).fill(1),
  answerNonce: new Uint8Array(32).fill(2),
  askIncarnation: "a",
  answerIncarnation: "b",
  epoch: 7,
  cluster: "c",
  address: "10.0.0.5:7070",
};

test("a proof is of its side, by its secret, and of all that was agreed upon", () => {
  const proof = proofOf("the secret", "asks", AGREED);
  expect(provenBy(["another", "the secret"], "asks", AGREED, proof)).toBe("the secret");
  expect(provenBy(["another"], "asks", AGREED, proof)).toBeNull();
  expect(provenBy([], "asks", AGREED, proof)).toBeNull();
  expect(provenBy(["the secret"], "answers", AGREED, proof)).toBeNull();
  const others: Partial<Transcript>[] = [
    { askNonce: AGREED.answerNonce },
    { answerNonce: AGREED.askNonce },
    { askIncarnation: "b" },
    { answerIncarnation: "a" },
    { epoch: 8 },
    { cluster: "d" },
    { address: "10.0.0.5:7071" },
    // What one field loses another one has.
    { askIncarnation: 'a","b', answerIncarnation: "" },
  ];
  for (const other of others) {
    expect(provenBy(["the secret"], "asks", { ...AGREED, ...other }, proof)).toBeNull();
  }
});

test("a proof of another length is none", () => {
  const proof = proofOf("the secret", "asks", AGREED);
  for (const wrong of [new Uint8Array(), proof.subarray(0, 31), Buffer.concat([proof, proof])]) {
    expect(provenBy(["the secret"], "asks", AGREED, wrong)).toBeNull();
  }
});
