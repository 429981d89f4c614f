import { create, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type StreamAddJobsRequest,
  StreamAddJobsRequestSchema,
} from "../../../../../src/gen/elasticjob/v1/job_service_pb.ts";
import { withoutLarge } from "../../../../../src/rpc/server/large/envelopes.ts";
import { HeldRequests } from "../../../../../src/rpc/server/large/held-requests.ts";

const SMALL = 100;
const EMPTY = new Uint8Array([0, 0, 0, 0, 0]);

function held(mostBytes = 10_000): HeldRequests {
  return new HeldRequests({
    schema: StreamAddJobsRequestSchema,
    answerSchema: null,
    isJson: false,
    compression: null,
    isForwarded: false,
    share: null,
    mostBytes,
    maxPayloadBytes: 1_000,
    pause: async () => {},
  });
}

function envelope(bytes: Uint8Array, flags = 0): Buffer {
  const head = Buffer.from([flags, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([head, bytes]);
}

const messageOf = (call: number, length: number) =>
  toBinary(
    StreamAddJobsRequestSchema,
    create(StreamAddJobsRequestSchema, { call, idempotencyKey: "k".repeat(length) }),
  );

async function* cut(bytes: Uint8Array, places: readonly number[]) {
  const at = [0, ...places.map((place) => place % bytes.byteLength).sort((a, b) => a - b), bytes.byteLength];
  for (const [index, start] of at.slice(0, -1).entries()) yield bytes.subarray(start, at[index + 1]);
}

const options = { smallBytes: SMALL, empty: new Uint8Array(), waits: true, inflates: true };

test("however a body is cut, small messages pass as they are, and large ones are held in their order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(1, 20, 200, 3_000), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(20_000), { maxLength: 8 }),
      async (lengths, places) => {
        const messages = lengths.map((length, index) => messageOf(index + 1, length));
        const body = Buffer.concat([...messages.map((message) => envelope(message)), envelope(EMPTY, 2)]);
        const requests = held();
        const passed = Buffer.concat(
          await Array.fromAsync(withoutLarge(cut(body, places), requests, options)),
        );
        const small = messages.map((message) => (message.byteLength > SMALL ? EMPTY : envelope(message)));
        expect(passed).toEqual(Buffer.concat([...small, envelope(EMPTY, 2)]));
        for (const [index, message] of messages.entries()) {
          const large = requests.take();
          expect(large === null).toBe(message.byteLength <= SMALL);
          if (large === null) continue;
          expect(((await large.decode()) as StreamAddJobsRequest).call).toBe(index + 1);
        }
      },
    ),
  );
});

test("a message that is larger than any may be is refused by its length, before it comes", async () => {
  const head = envelope(new Uint8Array(20_000)).subarray(0, 6);
  const passing = Array.fromAsync(withoutLarge(cut(head, []), held(), options));
  await expect(passing).rejects.toThrow(
    /^\[resource_exhausted\] the body: has a message of \d+ bytes; up to 10000 are accepted/,
  );
});

test("a body that ends within a message is refused", async () => {
  const body = envelope(messageOf(1, 200)).subarray(0, 100);
  await expect(Array.fromAsync(withoutLarge(cut(body, []), held(), options))).rejects.toThrow(/ended within/);
});
