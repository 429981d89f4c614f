/** The secrets of the process itself, as they are by now: a handler may come by one, as a program does that runs as the node's user. */
import { createScrubber, type NamedSecret, type Scrubber } from "./scrubber.ts";

/** Those that come from files change while the node runs. */
const LOOK_EVERY_MS = 1_000;

/** A scrubber of all that `read` gives, and has given in the time before. */
export function ownSecrets(read: () => readonly NamedSecret[], now: () => number): () => Scrubber {
  const known = new Map<string, string>();
  let scrubber = createScrubber([]);
  let lookedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - lookedAt < LOOK_EVERY_MS) return scrubber;
    lookedAt = now();
    const before = known.size;
    for (const [name, value] of read()) if (!known.has(value)) known.set(value, name);
    if (known.size > before) scrubber = createScrubber([...known].map(([value, name]) => [name, value]));
    return scrubber;
  };
}
