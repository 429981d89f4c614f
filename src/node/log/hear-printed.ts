/** Hears what is printed in a thread. `console` writes each of its calls as one text. */
export function hearPrinted(stream: NodeJS.WriteStream, heard: (text: string) => void): void {
  const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
  stream.write = (chunk: unknown, ...rest: unknown[]) => {
    if (typeof chunk === "string") heard(chunk);
    else if (chunk instanceof Uint8Array) heard(Buffer.from(chunk).toString());
    return write(chunk, ...rest);
  };
}
