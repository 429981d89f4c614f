export interface PullerSettings {
  readonly incarnation: string;
  readonly nodeId: string;
  /** This node's `ip:port`; known by the time the puller starts. */
  readonly address: () => string;
  readonly slots: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly leaseMs: number;
  readonly maxLost: number;
  /** The version of the time zone data that it computes with. */
  readonly zoneData: string;
  /** How long running jobs may go on when the node is drained. */
  readonly drainGraceMs: number;
}
