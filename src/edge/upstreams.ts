/** The nodes to call: sticks to one that works, and goes to the next when it fails. */
export interface Upstreams {
  /** Without a slash at the end. */
  readonly all: readonly string[];
  current(): string;
  /** Does nothing when another call has moved on from it already. */
  failed(upstream: string): void;
}

export function createUpstreams(urls: readonly string[]): Upstreams {
  const bases = urls.map((url) => url.replace(/\/+$/, ""));
  const first = bases[0];
  if (first === undefined) throw new Error("upstreams: empty; give the URL of at least one node");
  let current = first;
  return {
    all: bases,
    current: () => current,
    failed(upstream) {
      if (upstream === current) current = bases[(bases.indexOf(upstream) + 1) % bases.length] ?? first;
    },
  };
}
