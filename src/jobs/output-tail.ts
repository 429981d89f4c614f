import type { Readable } from "node:stream";
import { fromCharacter, textOrBase64 } from "./text-or-base64.ts";

/** Keeps the last `maxBytes` of a stream, and counts the rest. */
export class OutputTail {
  private parts: Buffer[] = [];
  private keptBytes = 0;
  private totalBytes = 0;
  private readonly maxBytes: number;

  constructor(stream: Readable, maxBytes: number) {
    this.maxBytes = maxBytes;
    stream.on("data", (part: Buffer) => this.add(part));
    // What a killed process leaves of its pipe is no failure of its own.
    stream.on("error", () => {});
  }

  get isCut(): boolean {
    return this.totalBytes > this.maxBytes;
  }

  /** For people. */
  text(): string {
    return this.kept().toString();
  }

  /** For a result, under this name; what is no UTF-8 is in base64, and marked so. */
  result<Name extends string>(name: Name) {
    const { text, isBase64 } = textOrBase64(this.isCut ? fromCharacter(this.kept()) : this.kept());
    return { [name]: text, ...(isBase64 ? { [`${name}Encoding`]: "base64" } : {}) };
  }

  private kept(): Buffer {
    return Buffer.concat(this.parts).subarray(-this.maxBytes);
  }

  private add(part: Buffer): void {
    this.parts.push(part);
    this.keptBytes += part.length;
    this.totalBytes += part.length;
    // Joined only when twice as much is there: each byte is copied at most once or twice.
    if (this.keptBytes <= 2 * this.maxBytes) return;
    const kept = Buffer.from(Buffer.concat(this.parts).subarray(-this.maxBytes));
    this.parts = [kept];
    this.keptBytes = kept.length;
  }
}
