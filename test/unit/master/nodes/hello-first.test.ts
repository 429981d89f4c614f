import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  CreditSchema,
  type GetJobRequest,
  GetJobRequestSchema,
  HelloSchema,
} from "../../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { helloFirst } from "../../../../src/master/nodes/hello-first.ts";

const hello = create(GetJobRequestSchema, {
  message: { case: "hello", value: create(HelloSchema, { nodeId: "a" }) },
});
const credit = (slots: number) =>
  create(GetJobRequestSchema, { message: { case: "credit", value: create(CreditSchema, { slots }) } });
const slotsOf = ({ message }: GetJobRequest) => (message.case === "credit" ? message.value.slots : -1);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** `greeting`: what the database is asked for at a hello. */
function start(greeting: Promise<void> = Promise.resolve()) {
  const log: string[] = [];
  const stream = helloFirst<string>({
    greet: async ({ nodeId }) => {
      log.push(`greet ${nodeId}`);
      await greeting;
      return nodeId;
    },
    take: async (session, message) => {
      log.push(`${session} takes ${slotsOf(message)}`);
      if (slotsOf(message) === 13) throw new Error("bad luck");
    },
    depart: (session) => log.push(`${session} departs`),
    failed: (error, session) =>
      log.push(`${session} failed: ${error instanceof Error ? error.message : error}`),
  });
  return { stream, log };
}

test("what comes before the hello is taken in waits for it, in its order", async () => {
  const greeting = Promise.withResolvers<void>();
  const { stream, log } = start(greeting.promise);
  stream.message(hello);
  stream.message(credit(1));
  stream.message(credit(2));
  await turn();
  expect(log).toEqual(["greet a"]);
  greeting.resolve();
  await turn();
  stream.message(credit(3));
  expect(log).toEqual(["greet a", "a takes 1", "a takes 2", "a takes 3"]);
  stream.closed();
  expect(log.at(-1)).toBe("a departs");
});

test("a stream that begins with something else fails, and is nobody's", async () => {
  const { stream, log } = start();
  stream.message(credit(1));
  await turn();
  expect(log).toEqual(["null failed: message: the first one must be hello"]);
  stream.closed();
  expect(log).toHaveLength(1);
});

test("a stream that ends while its hello is taken in departs when that is done", async () => {
  const greeting = Promise.withResolvers<void>();
  const { stream, log } = start(greeting.promise);
  stream.message(hello);
  await turn();
  stream.closed();
  expect(log).toEqual(["greet a"]);
  greeting.resolve();
  await turn();
  expect(log).toEqual(["greet a", "a departs"]);
});

test("a hello that comes after its stream has ended is not taken in", async () => {
  const { stream, log } = start();
  stream.closed();
  stream.message(hello);
  await turn();
  expect(log).toEqual([]);
});

test("a hello that can't be taken in, and a message that can't, are said to have failed", async () => {
  const refused = start(Promise.reject(new Error("no answer")));
  refused.stream.message(hello);
  await turn();
  expect(refused.log).toEqual(["greet a", "null failed: no answer"]);
  const { stream, log } = start();
  stream.message(hello);
  await turn();
  stream.message(credit(13));
  await turn();
  expect(log.at(-1)).toBe("a failed: bad luck");
});
