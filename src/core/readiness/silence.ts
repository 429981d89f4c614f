/** What has not been heard of something, for how long. */
export interface Silence {
  /** What people know it as: "Redis", "MySQL", "master 10.0.0.3:7070". */
  readonly who: string;
  /**
   * `errors`: it has answered, and could not. `refused`: it does not let this process do what it needs. `unconfirmed`: it
   * has answered, but not that the lock is still ours.
   */
  readonly how: "silent" | "errors" | "refused" | "unconfirmed";
  readonly ms: number;
  /** What it said, and what is to be done, where it answers. */
  readonly why?: string;
}

const SAID = {
  silent: "has not answered",
  errors: "has answered with errors only",
  refused: "has refused this node",
  unconfirmed: "has not confirmed the lock",
} as const satisfies Record<Silence["how"], string>;

export function sentenceOf({ who, how, ms, why }: Silence): string {
  const sentence = `${who} ${SAID[how]} for ${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  return why === undefined ? sentence : `${sentence}: ${why}`;
}

const NAMED = new RegExp(`(${Object.values(SAID).join("|")}) for \\d+\\.\\d s`);

/** Whether a text has such a sentence in it. */
export function namesSilence(text: string): boolean {
  return NAMED.test(text);
}

/** Of what is part of this process, and answers whenever the process does. */
export function neverSilent(who: string): () => Silence {
  return () => ({ who, how: "silent", ms: 0 });
}
