import type { Readable } from "node:stream";

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

  text(): string {
    return Buffer.concat(this.parts).subarray(-this.maxBytes).toString();
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
