import type { GetJobRequest, GetJobResponse } from "../gen/elasticjob/v1/node_service_pb.ts";

/** Who answers at an address. */
export interface Identity {
  readonly incarnation: string;
  readonly nodeId: string;
  /** The epoch in which it is master; 0: it is not. */
  readonly epoch: number;
  /** Whether it is master, and the asking process has entered itself in its database. */
  readonly sharesDatabase: boolean;
}

/** How a node talks to other nodes. Tests replace it with one that loses, delays and cuts. */
export interface Network {
  /** Opens a GetJob stream to the master at `ip:port`. `closed` is called once, whatever ends it. */
  openStream(
    address: string,
    on: {
      readonly message: (message: GetJobResponse) => void;
      /** `isStranger`: who listens there has not proved that it is a node of this cluster. */
      readonly closed: (reason: string, isStranger?: boolean) => void;
    },
  ): NodeStream;
  /** "refused": nobody listens there, so the process is gone. "silent": no answer in time, or by somebody who does not prove that it is of this cluster, which both prove nothing; `unproved` then hears why, where it is TLS's fault or the proof's. */
  identify(
    address: string,
    timeoutMs: number,
    unproved?: (why: string) => void,
  ): Promise<Identity | "refused" | "silent">;
}

/** The node's end of a GetJob stream. Sending on a closed one does nothing. */
export interface NodeStream {
  send(message: GetJobRequest): void;
  /** Destroys it at once: nothing that was sent to us and not yet delivered will be. */
  close(): void;
}

/** The master's end of a GetJob stream. Sending on a closed one does nothing. */
export interface MasterStream {
  send(message: GetJobResponse): void;
  close(): void;
}

/** What the master does with a stream that a node opened. */
export interface StreamHandler {
  message(message: GetJobRequest): void;
  closed(): void;
}
