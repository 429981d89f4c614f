/** Which node gets a job: filter by what the job requires, then the least loaded. */

/** A node as placement sees it. */
export interface Candidate {
  readonly nodeId: string;
  readonly slots: number;
  /** Slots that it would take now. */
  readonly freeSlots: number;
  /** Of those, the ones in which a job would only wait there until another has ended. */
  readonly queueSlots: number;
  /** 0 to 1 of its size. */
  readonly cpu: number;
  readonly eventLoopDelayMs: number;
  readonly memoryMb: number;
  readonly freeMemoryMb: number;
}

/** An event loop that is later than this counts as fully loaded. */
const SLOW_LOOP_MS = 100;
/** CPU use from which a node counts as loaded: below it, free slots alone decide. */
const BUSY_CPU = 0.7;

/**
 * How much of a node is taken, 0 to about 3; lower is better. Shares, not numbers of slots, so that
 * big and small nodes fill evenly.
 */
function load(node: Candidate, slots: number): number {
  // What only waits there counts as taken: a node that was quick for a while would else look emptier, the fuller it is.
  const slotShare = 1 - (beginnableSlots(node) - slots) / node.slots;
  const cpu = Math.max(0, node.cpu - BUSY_CPU) / (1 - BUSY_CPU);
  const loop = Math.min(1, node.eventLoopDelayMs / SLOW_LOOP_MS);
  const memory = node.memoryMb > 0 && node.freeMemoryMb / node.memoryMb < 0.05 ? 1 : 0;
  return slotShare + cpu + loop / 2 + memory;
}

/** Slots in which a job would begin at once; below 0: so many wait already. */
function beginnableSlots({ freeSlots, queueSlots }: Candidate): number {
  return freeSlots - queueSlots;
}

export interface Choice<T> {
  readonly node: T;
  /** Why, for people: travels with the claim and ends up in the result. */
  readonly placement: string;
  /** So many jobs that require the same, this one included, may go there before the nodes are looked at again. */
  readonly share: number;
}

/** The part of a node's free slots that may go without another look: it hardly changes which node is the least loaded. */
const UNSEEN_PART = 1 / 16;

/** The least loaded of the nodes that have room; null: none has. */
export function choose<T extends Candidate>(
  nodes: readonly T[],
  required: { readonly slots: number; readonly memoryMb: number },
): Choice<T> | null {
  let best: T | null = null;
  let bestLoad = Number.POSITIVE_INFINITY;
  let fitting = 0;
  for (const node of nodes) {
    if (node.freeSlots < required.slots || node.freeMemoryMb < required.memoryMb) continue;
    fitting++;
    const nodeLoad = load(node, required.slots);
    if (nodeLoad < bestLoad) {
      best = node;
      bestLoad = nodeLoad;
    }
  }
  if (best === null) return null;
  const reason = fitting === 1 ? "only" : "least-loaded";
  const figures = `load=${bestLoad.toFixed(2)} free=${beginnableSlots(best)}/${best.slots} cpu=${best.cpu.toFixed(2)} of=${fitting}`;
  // A node of quick jobs offers far more than it has, for some to wait there: a burst of slow ones should not find
  // one node full and another idle.
  const room = Math.min(best.freeSlots * UNSEEN_PART, best.slots / 2);
  const share = Math.max(1, Math.floor(room / required.slots));
  return { node: best, placement: `${reason} ${figures}`, share };
}

/** Whether a node offers the handler and carries the labels. */
export function canTake(
  node: {
    readonly handlers: ReadonlySet<string>;
    readonly runJob: boolean;
    readonly labels: Readonly<Record<string, string>>;
  },
  required: { readonly handler: string; readonly labels: Readonly<Record<string, string>> },
): boolean {
  if (!node.runJob && !node.handlers.has(required.handler)) return false;
  for (const [label, value] of Object.entries(required.labels)) {
    if (node.labels[label] !== value) return false;
  }
  return true;
}
