import type { DestinationStream } from "pino";

const URGENT = /"level":"(?:warn|error|fatal)"/;

/** Log lines that wait for something to be printed before them. Trouble does not wait. */
export class HeldLines implements DestinationStream {
  private held: string[] | null = [];
  private readonly to: DestinationStream;

  constructor(to: DestinationStream) {
    this.to = to;
    // What was held when the process ended early is why it did.
    process.once("exit", () => this.release());
  }

  write(line: string): void {
    if (this.held !== null && URGENT.test(line)) this.release();
    if (this.held === null) this.to.write(line);
    else this.held.push(line);
  }

  release(): void {
    const lines = this.held ?? [];
    this.held = null;
    for (const line of lines) this.to.write(line);
  }
}
