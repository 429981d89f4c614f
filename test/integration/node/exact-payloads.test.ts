import { afterAll, beforeAll, expect, test } from "vitest";
import { type PoolRig, startRig } from "./pool-rig.ts";

const PAYLOAD = '{ "id": 3889108265204450030 }';

let rig: PoolRig;
beforeAll(async () => {
  rig = await startRig({ handlersUrl: new URL("./handlers/digits.ts", import.meta.url).href });
});
afterAll(() => rig.stop());

async function outputOf(handler: string, payload: string | null) {
  const end = await rig.run(handler, { payload }).end;
  if (end.kind !== "succeeded") throw new Error(JSON.stringify(end));
  return end.output;
}

test("a handler is given the payload's text as it is kept", async () => {
  expect(await outputOf("given", PAYLOAD)).toBe(JSON.stringify([PAYLOAD, JSON.parse(PAYLOAD)]));
  expect(await outputOf("given", null)).toBe("[null,null]");
});

test("a number goes through a handler with all its digits", async () => {
  expect(await outputOf("next", PAYLOAD)).toBe('{"next":[3889108265204450031]}');
  expect(await outputOf("echo", PAYLOAD)).toBe('{"id":3889108265204450030}');
});

test("half a surrogate pair comes back as it was", async () => {
  expect(await outputOf("echo", String.raw`["\ud83d","😀"]`)).toBe(String.raw`["\ud83d","😀"]`);
});
