/** How much memory this process may take for what callers send. */
import { getHeapStatistics } from "node:v8";

/** Beside its main heap a process has buffers, code and the heaps of its threads. */
const SHARE_OF_CONTAINER = 0.75;

/** The least of what V8 lets the heap grow to (`--max-old-space-size`) and of what the container (the cgroup) leaves to it. */
export function memoryLimitBytes(): number {
  const heap = getHeapStatistics().heap_size_limit;
  // 0 where nobody can tell; beyond all numbers where nothing bounds it.
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(heap, constrained * SHARE_OF_CONTAINER) : heap;
}
