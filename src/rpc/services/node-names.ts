import type { Clock } from "../../core/clock.ts";
import type { JobStore } from "../../store/job-store.ts";

/** Rows name nodes by number. A number never changes its meaning, so what was read once stays right. */
export interface NodeNames {
  /** What names these numbers; one that the database does not know is shown as the number itself. */
  read(numbers: Iterable<number>): Promise<(node: number) => string>;
}

/** A number that is still unknown after a read is not looked for again for this long. */
const REFRESH_MS = 1000;

export function createNodeNames(store: JobStore, clock: Clock): NodeNames {
  let names: ReadonlyMap<number, string> = new Map();
  let readAt = -Infinity;
  let reading: Promise<void> | null = null;

  async function refresh(): Promise<void> {
    const nodes = await store.readNodes();
    names = new Map(nodes.map((node) => [node.number, node.nodeId]));
    readAt = clock.monotonic();
  }

  return {
    async read(numbers) {
      for (const number of numbers) {
        if (number === 0 || names.has(number)) continue;
        if (reading === null && clock.monotonic() - readAt < REFRESH_MS) continue;
        reading ??= refresh().finally(() => {
          reading = null;
        });
        await reading;
        break;
      }
      return (node) => names.get(node) ?? `#${node}`;
    },
  };
}
