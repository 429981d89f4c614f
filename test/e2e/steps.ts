/** Prints each step of a run with the time that it took; a failed one is told, and the run goes on. */
export interface Steps {
  readonly failed: number;
  /** Returns what `run` returns; null: it failed. What it passes to `note` is shown beside its title. */
  step<T>(title: string, run: (note: (text: string) => void) => Promise<T>): Promise<T | null>;
}

export function createSteps(print: (line: string) => void): Steps {
  const startedAt = performance.now();
  let failed = 0;
  return {
    get failed() {
      return failed;
    },
    async step(title, run) {
      const stepStartedAt = performance.now();
      const notes: string[] = [];
      const line = (mark: string) => {
        const took = seconds(performance.now() - stepStartedAt);
        const total = seconds(performance.now() - startedAt);
        const noted = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
        return `${total.padStart(7)} ${mark} ${title}${noted}, ${took}`;
      };
      try {
        const value = await run((text) => notes.push(text));
        print(line("ok    "));
        return value;
      } catch (error) {
        failed += 1;
        print(line("FAILED"));
        const text = error instanceof Error ? error.message : String(error);
        for (const part of text.split("\n").slice(0, 40)) print(`                 ${part}`);
        return null;
      }
    },
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
