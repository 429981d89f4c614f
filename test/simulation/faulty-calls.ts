/** Calls of a process to a server (the database, the lock) that take time and can fail in every way. */
import { ElasticJobError } from "../../src/core/errors.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";
import type { SharedServer } from "../../src/testing/shared-server.ts";
import type { Gate, VirtualTime } from "../../src/testing/virtual-clock.ts";

/** How long a call waits for a server that is out of reach. */
const TIMEOUT_MS = 1000;

export interface Faults {
  maxLatencyMs: number;
  /** Fails, and nothing was done. */
  before: number;
  /** Fails, and yet it was done. */
  after: number;
  /** Fails, and is done some time later: it hung in the server. */
  later: number;
  /** A write is done twice, as after a connection that was cut. */
  twice: number;
}

const NO_FAULTS: Faults = { maxLatencyMs: 2, before: 0, after: 0, later: 0, twice: 0 };

export class Server implements SharedServer {
  faults: Faults = { ...NO_FAULTS };
  /** Until this time it answers nobody. */
  outageUntil = 0;
  /** Addresses that it can't be reached from. */
  readonly unreachable = new Set<string>();
  private readonly name: string;
  private readonly time: VirtualTime;
  private readonly random: SeededRandom;

  constructor(name: string, time: VirtualTime, random: SeededRandom) {
    this.name = name;
    this.time = time;
    this.random = random;
  }

  isDown(): boolean {
    return this.time.now < this.outageUntil;
  }

  reaches(from: string): boolean {
    return !this.unreachable.has(from);
  }

  outage(ms: number): void {
    this.outageUntil = this.time.now + ms;
  }

  call<T>(from: string, gate: Gate, work: () => Promise<T>, again?: (first: T, second: T) => T): Promise<T> {
    const { random, time, faults } = this;
    const out = random.next() * faults.maxLatencyMs;
    const back = random.next() * faults.maxLatencyMs;
    const roll = random.next();
    const isTwice = again !== undefined && random.chance(faults.twice);
    // The request of a process that dies may or may not have left it.
    const wasSent = random.chance(0.5);
    return new Promise((resolve, reject) => {
      const fail = (ms: number) =>
        time.after(ms, () =>
          gate.deliver(() =>
            reject(new ElasticJobError("unavailable", `${this.name}: no answer (simulated)`)),
          ),
        );
      const execute = async () => {
        const first = await work();
        return isTwice ? again(first, await work()) : first;
      };
      time.after(out, () => {
        if (gate.isDead && !wasSent) return;
        if (this.isDown() || !this.reaches(from)) return void fail(TIMEOUT_MS);
        if (roll < faults.before) return void fail(back);
        if (roll < faults.before + faults.after) {
          execute().catch(() => undefined);
          return void fail(back);
        }
        if (again !== undefined && roll < faults.before + faults.after + faults.later) {
          time.after(random.between(1, 3000), () => void execute().catch(() => undefined));
          return void fail(back);
        }
        execute().then(
          (value) => time.after(back, () => gate.deliver(() => resolve(value))),
          (error) => time.after(back, () => gate.deliver(() => reject(error))),
        );
      });
    });
  }
}
