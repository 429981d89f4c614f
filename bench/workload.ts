/** What a workload is given, and what it returns. */
import type { Arena } from "./arena.ts";
import type { OurArena } from "./our-arena.ts";

/** Figures by name. The first is the one that rounds and contenders are compared by. */
export type Figures = Readonly<Record<string, number>>;

export interface Workload {
  readonly name: string;
  readonly meaning: string;
  /** Whether the first figure is better when it is larger. */
  readonly largerIsBetter: boolean;
  /** Contenders that can be asked to do it. */
  readonly contenders: "all" | "ours";
  /** Once, whatever `--rounds` says: it takes long, or its figures do not scatter. */
  readonly once?: true;
  run(arena: Arena, size: Size, ours: OurArena | null): Promise<Figures>;
}

export type Size = "quick" | "full";

export function pick(size: Size, quick: number, full: number): number {
  return size === "quick" ? quick : full;
}
