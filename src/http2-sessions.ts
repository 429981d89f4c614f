/**
 * The HTTP/2 connections of a port. Closed are those that say nothing: no handshake within its time, no call for a while,
 * or calls that are open while the other side answers no ping (a process that hangs, a machine that is gone).
 */
import type { ServerHttp2Session } from "node:http2";
import type { Clock } from "./core/clock.ts";
import type { Logger } from "./core/logger.ts";

const SWEEP_MS = 10_000;
/** Longer than other nodes and the edge keep a connection that they do not use. */
const IDLE_MS = 75_000;
const SWEEPS_A_PING = 3;
/** At the second sweep that finds a ping unanswered: at the first one, this process itself may have slept. */
const SWEEPS_UNANSWERED = 2;

interface Session {
  calls: number;
  idleSince: number;
  sweepsSincePing: number;
  isPinging: boolean;
}

export class Http2Sessions {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly handshakeMs: number;
  private readonly sessions = new Map<ServerHttp2Session, Session>();
  private cancelSweep = () => {};

  constructor(options: { readonly clock: Clock; readonly logger: Logger; readonly handshakeMs: number }) {
    this.clock = options.clock;
    this.logger = options.logger;
    this.handshakeMs = options.handshakeMs;
  }

  /** `called`: it has its first call. */
  add(session: ServerHttp2Session, called: () => void): void {
    const state: Session = {
      calls: 0,
      idleSince: this.clock.monotonic(),
      sweepsSincePing: 0,
      isPinging: false,
    };
    if (this.sessions.size === 0) this.cancelSweep = this.clock.after(SWEEP_MS, () => this.sweep());
    this.sessions.set(session, state);
    const cancel = this.clock.after(this.handshakeMs, () => session.destroy());
    session.once("remoteSettings", cancel);
    session.once("stream", called);
    session.on("stream", (stream) => {
      state.calls++;
      stream.once("close", () => {
        state.calls--;
        state.idleSince = this.clock.monotonic();
      });
    });
    session.on("error", (error) => this.logger.debug({ error }, "an HTTP/2 connection failed"));
    session.on("close", () => {
      cancel();
      this.sessions.delete(session);
      if (this.sessions.size === 0) this.cancelSweep();
    });
  }

  /** Takes no more calls on any of them. */
  close(): void {
    for (const session of this.sessions.keys()) session.close();
  }

  destroy(): void {
    for (const session of this.sessions.keys()) session.destroy();
  }

  private sweep(): void {
    this.cancelSweep = this.clock.after(SWEEP_MS, () => this.sweep());
    const now = this.clock.monotonic();
    for (const [session, state] of this.sessions) {
      if (state.calls === 0) {
        if (now - state.idleSince >= IDLE_MS) session.close();
        continue;
      }
      state.sweepsSincePing++;
      if (state.isPinging && state.sweepsSincePing >= SWEEPS_UNANSWERED) {
        this.logger.debug({}, "an HTTP/2 connection answers no ping");
        session.destroy();
      } else if (!state.isPinging && state.sweepsSincePing >= SWEEPS_A_PING && !session.closed) {
        state.sweepsSincePing = 0;
        state.isPinging = session.ping((error) => {
          if (error === null) state.isPinging = false;
        });
      }
    }
  }
}
