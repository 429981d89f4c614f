/** Figures of several rounds. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

/** `share` 0.99: the value that 99 % do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function figuresOf(values: readonly number[]): Record<string, number> {
  return {
    "p50 ms": percentile(values, 0.5),
    "p99 ms": percentile(values, 0.99),
    "max ms": percentile(values, 1),
    "min ms": Math.min(...values),
  };
}
