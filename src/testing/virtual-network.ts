/**
 * A network between simulated processes. Messages go through protobuf's bytes, so that nothing is
 * shared. As with TCP, a stream loses nothing and keeps its order: while a direction is cut, what is
 * sent in it waits, and is delivered when the cut heals.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Identity, MasterStream, Network, NodeStream, StreamHandler } from "../coordination/network.ts";
import { GetJobRequestSchema, GetJobResponseSchema } from "../gen/elasticjob/v1/node_service_pb.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Gate, VirtualTime } from "./virtual-clock.ts";

const CONNECT_LIMIT_MS = 3000;

export interface Host {
  readonly gate: Gate;
  /** Null: it is not master. */
  accept(stream: MasterStream): StreamHandler | null;
  identity(): Identity;
}

/** One direction of a stream: in order, and only while its link is whole. */
class Wire {
  private readonly net: VirtualNetwork;
  private readonly from: string;
  private readonly to: string;
  private readonly queue: (() => void)[] = [];
  private lastAt = 0;

  constructor(net: VirtualNetwork, from: string, to: string) {
    this.net = net;
    this.from = from;
    this.to = to;
  }

  send(deliver: () => void): void {
    const { time } = this.net;
    this.queue.push(deliver);
    this.lastAt = Math.max(this.lastAt, time.now + this.net.latencyMs());
    time.after(this.lastAt - time.now, () => this.pump());
  }

  private pump(): void {
    if (this.net.isCut(this.from, this.to)) {
      this.net.whenHealed(() => this.pump());
      return;
    }
    this.queue.shift()?.();
  }
}

interface Connection {
  readonly from: string;
  readonly to: string;
  /** The process at that end has died: the other end hears of it. */
  broken(address: string): void;
}

export class VirtualNetwork {
  readonly time: VirtualTime;
  private readonly random: SeededRandom;
  private readonly hosts = new Map<string, Host>();
  /** Addresses where not even a refusal comes back. */
  private readonly silent = new Set<string>();
  private readonly cuts = new Set<string>();
  private readonly connections = new Set<Connection>();
  private waiting: (() => void)[] = [];
  maxLatencyMs = 3;

  constructor(time: VirtualTime, random: SeededRandom) {
    this.time = time;
    this.random = random;
  }

  latencyMs(): number {
    return this.random.next() * this.maxLatencyMs;
  }

  listen(address: string, host: Host): void {
    this.hosts.set(address, host);
    this.silent.delete(address);
  }

  /** Its process is gone. `silently`: its machine too, so nobody is told, or refused. */
  close(address: string, silently: boolean): void {
    this.hosts.delete(address);
    if (silently) this.silent.add(address);
    for (const connection of [...this.connections]) {
      if (connection.from !== address && connection.to !== address) continue;
      this.connections.delete(connection);
      if (!silently) connection.broken(address);
    }
  }

  cut(from: string, to: string): void {
    this.cuts.add(`${from}>${to}`);
  }

  heal(): void {
    this.cuts.clear();
    for (const retry of this.waiting.splice(0)) this.time.after(this.latencyMs(), retry);
  }

  isCut(from: string, to: string): boolean {
    return this.cuts.has(`${from}>${to}`);
  }

  whenHealed(retry: () => void): void {
    this.waiting.push(retry);
  }

  /** The network as the process at `from` sees it. */
  of(from: string, gate: Gate): Network {
    return {
      openStream: (to, on) => this.open(from, gate, to, on),
      identify: (to, timeoutMs) => this.identify(from, gate, to, timeoutMs),
    };
  }

  private open(from: string, gate: Gate, to: string, on: Parameters<Network["openStream"]>[1]): NodeStream {
    const there = new Wire(this, from, to);
    const back = new Wire(this, to, from);
    let nodeEnd: "open" | "closed" = "open";
    let masterEnd: "opening" | "open" | "closed" = "opening";
    let handler: StreamHandler | null = null;
    let hostGate: Gate | null = null;

    const closeNodeEnd = (reason: string): void => {
      if (nodeEnd === "closed") return;
      nodeEnd = "closed";
      this.connections.delete(connection);
      queueMicrotask(() => on.closed(reason));
    };
    const closeMasterEnd = (): void => {
      if (masterEnd === "closed") return;
      masterEnd = "closed";
      const closed = handler;
      queueMicrotask(() => closed?.closed());
    };
    const atNode = (run: () => void) => back.send(() => gate.deliver(run));
    const atMaster = (run: () => void) => there.send(() => hostGate?.deliver(run));
    const connection: Connection = {
      from,
      to,
      broken: (address) => {
        if (address === to) atNode(() => closeNodeEnd("connection reset"));
        else atMaster(closeMasterEnd);
      },
    };
    this.connections.add(connection);
    const cancelLimit = this.time.after(CONNECT_LIMIT_MS, () => {
      if (hostGate === null) gate.deliver(() => closeNodeEnd("no connection in time"));
    });
    there.send(() => {
      const host = this.hosts.get(to);
      if (host === undefined) {
        if (!this.silent.has(to)) atNode(() => closeNodeEnd("refused"));
        return;
      }
      cancelLimit();
      hostGate = host.gate;
      host.gate.deliver(() => {
        if (masterEnd === "closed") return;
        handler = host.accept({
          send: (message) => {
            if (masterEnd === "closed") return;
            const bytes = toBinary(GetJobResponseSchema, message);
            atNode(() => {
              if (nodeEnd === "open") on.message(fromBinary(GetJobResponseSchema, bytes));
            });
          },
          close: () => {
            closeMasterEnd();
            atNode(() => closeNodeEnd("closed by the master"));
          },
        });
        masterEnd = "open";
        if (handler === null) {
          masterEnd = "closed";
          atNode(() => closeNodeEnd("not the master"));
        }
      });
    });
    return {
      send: (message) => {
        if (nodeEnd === "closed") return;
        const bytes = toBinary(GetJobRequestSchema, message);
        atMaster(() => {
          if (masterEnd === "open") handler?.message(fromBinary(GetJobRequestSchema, bytes));
        });
      },
      close: () => {
        closeNodeEnd("closed by the node");
        atMaster(closeMasterEnd);
      },
    };
  }

  private identify(
    from: string,
    gate: Gate,
    to: string,
    timeoutMs: number,
  ): Promise<Identity | "refused" | "silent"> {
    return new Promise((resolve) => {
      const answer = (value: Identity | "refused" | "silent") => gate.deliver(() => resolve(value));
      const cancel = this.time.after(timeoutMs, () => answer("silent"));
      const reply = (value: Identity | "refused") => {
        if (this.isCut(to, from)) return;
        this.time.after(this.latencyMs(), () => {
          cancel();
          answer(value);
        });
      };
      this.time.after(this.latencyMs(), () => {
        if (this.isCut(from, to) || this.silent.has(to)) return;
        const host = this.hosts.get(to);
        if (host === undefined) reply("refused");
        else host.gate.deliver(() => reply(host.identity()));
      });
    });
  }
}
