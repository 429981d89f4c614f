/** What is told to whoever speaks plaintext to a port that speaks TLS: that, and nothing else. Nothing of his request is read. */
import { constants } from "node:http2";
import type { Socket } from "node:net";
import { endSoon } from "../unread-body.ts";

const MESSAGE = "this port speaks TLS only: call it by https:// (an edge: by UPSTREAM=https://…)";

export function refusePlain(socket: Socket, spoken: "http1" | "http2"): void {
  socket.on("error", () => socket.destroy());
  endSoon(socket, () => socket.end(spoken === "http2" ? GOAWAY : HTTP_400));
  // A connection that is closed with bytes unread is reset, and the reset can overtake the answer.
  socket.resume();
}

const BODY = JSON.stringify({ code: "invalid_argument", message: MESSAGE });
const HTTP_400 = [
  "HTTP/1.1 400 Bad Request",
  "content-type: application/json",
  `content-length: ${Buffer.byteLength(BODY)}`,
  "connection: close",
  "",
  BODY,
].join("\r\n");

const FRAME_HEADER_BYTES = 9;
const SETTINGS = 4;
const GO_AWAY = 7;

function frame(type: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  return Buffer.concat([header, payload]);
}

/** RFC 9113: INADEQUATE_SECURITY, no stream was taken, and why; after the settings that every server sends first. */
const GOAWAY = Buffer.concat([
  frame(SETTINGS, Buffer.alloc(0)),
  frame(
    GO_AWAY,
    Buffer.concat([
      Buffer.from([0, 0, 0, 0, 0, 0, 0, constants.NGHTTP2_INADEQUATE_SECURITY]),
      Buffer.from(MESSAGE),
    ]),
  ),
]);
