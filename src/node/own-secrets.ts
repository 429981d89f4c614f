/** The secrets of the process itself, as they are by now: a handler may come by one, as a program does that runs as the node's user. */
import { createScrubber, type NamedSecret, NOTHING_KNOWN, type Scrubber } from "./scrubber.ts";

/** Those that come from files change while the node runs. */
const LOOK_EVERY_MS = 1_000;

/**
 * A scrubber of all that `read` gives, and has given in the time before. `first`: the scrubber of the folder's secrets, which
 * threads use before; it may have replaced a part of one of these.
 */
export function ownSecrets(
  read: () => readonly NamedSecret[],
  now: () => number,
  first: () => Scrubber = () => NOTHING_KNOWN,
): () => Scrubber {
  const known = new Map<string, string>();
  let before = NOTHING_KNOWN;
  let scrubber = NOTHING_KNOWN;
  let lookedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - lookedAt < LOOK_EVERY_MS) return scrubber;
    lookedAt = now();
    const size = known.size;
    for (const [name, value] of read()) if (!known.has(value)) known.set(value, name);
    const latest = first();
    if (known.size === size && latest === before) return scrubber;
    before = latest;
    scrubber = createScrubber(
      [...known].map(([value, name]) => [name, value]),
      before,
    );
    return scrubber;
  };
}
