/** The table: medians of the rounds, and how ours compares with the best peer. */
import type { ContenderName } from "./contender.ts";
import { median } from "./figures.ts";
import type { Figures, Workload } from "./workload.ts";

export interface Measured {
  readonly workload: string;
  readonly contender: ContenderName;
  readonly round: number;
  readonly figures: Figures;
  /** One-minute load of the machine just before: others may have used it. */
  readonly loadBefore: number;
}

export interface Failed {
  readonly workload: string;
  readonly contender: ContenderName;
  readonly round: number;
  readonly error: string;
}

export function tableOf(workload: Workload, all: readonly Measured[]): string {
  const own = all.filter((one) => one.workload === workload.name);
  const contenders = [...new Set(own.map(({ contender }) => contender))];
  const lines = [`\n${workload.name}: ${workload.meaning}`];
  const firsts = new Map<ContenderName, number>();
  for (const contender of contenders) {
    const rounds = own.filter((one) => one.contender === contender).map(({ figures }) => figures);
    const names = Object.keys(rounds[0] ?? {});
    const [first] = names;
    if (first === undefined) continue;
    const values = rounds.map((figures) => figures[first] ?? Number.NaN);
    firsts.set(contender, median(values));
    const range = `[${show(Math.min(...values))} - ${show(Math.max(...values))}]`;
    const rest = names
      .slice(1)
      .map((name) => `${name} ${show(median(rounds.map((figures) => figures[name] ?? Number.NaN)))}`);
    lines.push(
      `  ${contender.padEnd(16)} ${show(median(values)).padStart(8)} ${first} ${range}  ${rest.join(", ")}`,
    );
  }
  const [plain, secure] = [firsts.get("elastic-job"), firsts.get("elastic-job-secure")];
  if (plain !== undefined && secure !== undefined) {
    const better = workload.largerIsBetter ? secure / plain : plain / secure;
    lines.push(`  with a token and TLS against without: ${better.toFixed(2)} x`);
  }
  const ratio = ratioToBest(workload, firsts);
  if (ratio !== null) lines.push(`  ours against the best peer: ${ratio.toFixed(2)} x`);
  return lines.join("\n");
}

/** Above 1: ours is better. */
function ratioToBest(
  { largerIsBetter }: Workload,
  firsts: ReadonlyMap<ContenderName, number>,
): number | null {
  const ours = firsts.get("elastic-job");
  const peers = [...firsts].filter(([name]) => !name.startsWith("elastic-job")).map(([, value]) => value);
  if (ours === undefined || peers.length === 0) return null;
  return largerIsBetter ? ours / Math.max(...peers) : Math.min(...peers) / ours;
}

function show(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
