export interface NodeSettings {
  readonly incarnation: string;
  readonly nodeId: string;
  /** This node's `ip:port`; known by the time the puller starts. */
  readonly address: () => string;
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly leaseMs: number;
  readonly maxLost: number;
  /** How long running jobs may go on when the node is drained. */
  readonly drainGraceMs: number;
}
