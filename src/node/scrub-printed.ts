import type { Scrubber } from "./scrubber.ts";

/** What handlers print is searched for secrets as well, text by text, as `console.log` gives it. */
export function scrubPrinted(stream: NodeJS.WriteStream, scrubber: () => Scrubber): void {
  const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
  stream.write = (chunk: unknown, ...rest: unknown[]) =>
    write(typeof chunk === "string" ? scrubber().text(chunk) : chunk, ...rest);
}
