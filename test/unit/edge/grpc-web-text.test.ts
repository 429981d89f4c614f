import { expect, test } from "vitest";
import { fromBase64, isGrpcWebText, toGrpcWebText } from "../../../src/edge/grpc-web-text.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("the text form of gRPC-Web is told from the binary one", () => {
  expect(isGrpcWebText("application/grpc-web-text")).toBe(true);
  expect(isGrpcWebText("application/grpc-web-text+proto; charset=x")).toBe(true);
  for (const other of ["application/grpc-web", "application/grpc-web+proto", "application/json", null]) {
    expect(isGrpcWebText(other)).toBe(false);
  }
});

test("base64 is read with padding in between, as several writers leave it", () => {
  expect(fromBase64(bytes("AAE=AgME"))).toEqual(Uint8Array.of(0, 1, 2, 3, 4));
  expect(fromBase64(bytes("AA==\nAQ=="))).toEqual(Uint8Array.of(0, 1));
  expect(fromBase64(bytes(""))).toEqual(new Uint8Array());
  for (const wrong of ["A", "AA*A", "é"]) expect(fromBase64(bytes(wrong))).toBeNull();
});

test("each chunk of an answer is encoded by itself, so that none waits for the next", async () => {
  let send: (chunk: Uint8Array) => void = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      send = (chunk) => controller.enqueue(chunk);
    },
  });
  const answer = toGrpcWebText(
    new Response(body, { headers: { "content-type": "application/grpc-web+proto" } }),
  );
  expect(answer.headers.get("content-type")).toBe("application/grpc-web-text+proto");
  const reader = answer.body?.getReader();
  send(Uint8Array.of(0, 1));
  expect((await reader?.read())?.value).toEqual(bytes("AAE="));
  send(Uint8Array.of(2));
  expect((await reader?.read())?.value).toEqual(bytes("Ag=="));
  await reader?.cancel();
});

test("an error that is no gRPC-Web stays as it is", async () => {
  const refusal = Response.json({ code: "unauthenticated" }, { status: 401 });
  expect(toGrpcWebText(refusal)).toBe(refusal);
});
