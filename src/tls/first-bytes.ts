import type { Socket } from "node:net";
import type { Clock } from "../core/clock.ts";

/** The start of the HTTP/2 preface. No HTTP/1.1 method begins with it: the nearest are PROPFIND and PROPPATCH. */
const PREFACE = Buffer.from("PRI");
/** The type of a record that carries a handshake; no text of HTTP begins with it. */
const HANDSHAKE = 0x16;

export type Spoken = "tls" | "http2" | "http1";

/**
 * Reads the first bytes of a connection, puts them back, and says what it speaks. A connection that
 * sends nothing (or `P` and then nothing) within `limitMs` is destroyed, and `decide` is not called.
 */
export function readFirstBytes(
  socket: Socket,
  clock: Clock,
  limitMs: number,
  decide: (spoken: Spoken) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    cancel();
    socket.off("data", onData);
    socket.off("error", onEnd);
    socket.off("close", onEnd);
    socket.off("end", onEnd);
  };
  const onEnd = (): void => {
    stop();
    // A reset connection is nobody's error, but without a listener the error would end the process.
    socket.on("error", () => {});
    socket.destroy();
  };
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, PREFACE.length);
    const matches = seen.subarray(0, length).equals(PREFACE.subarray(0, length));
    if (matches && length < PREFACE.length) return;
    stop();
    // Paused, so that nothing is read before the server that takes over has its listeners.
    socket.pause();
    socket.unshift(seen);
    decide(matches ? "http2" : seen[0] === HANDSHAKE ? "tls" : "http1");
  };
  const cancel = clock.after(limitMs, onEnd);
  socket.on("data", onData);
  socket.on("error", onEnd);
  socket.on("close", onEnd);
  socket.on("end", onEnd);
}
