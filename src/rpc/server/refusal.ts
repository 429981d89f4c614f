/** An answer that says what is wrong with a request, in Connect's own form. */
import type { DescMessage } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToString } from "@connectrpc/connect/protocol-connect";

export function refusal(message: string, header: Headers | undefined): UniversalServerResponse {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ code: codeToString(Code.InvalidArgument), message }),
  );
  const ownHeader = new Headers(header);
  ownHeader.delete("content-encoding");
  ownHeader.set("content-length", String(bytes.byteLength));
  return { status: 400, header: ownHeader, body: once(bytes) };
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export function isBytes(
  body: UniversalServerRequest["body"] | UniversalServerResponse["body"],
): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

/** Of bytes that protobuf cannot read. `why`: in its own words. */
export function notOfItsKind({ typeName }: DescMessage, why: string): string {
  return `the body: is no ${typeName} in protobuf's binary form (${why}); that is accepted, or JSON as application/json`;
}
