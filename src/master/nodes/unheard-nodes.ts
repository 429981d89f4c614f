/**
 * Since when nodes have not been answered, kept in the database, so that what one master knew counts for the next:
 * masters that die one after another would else each wait anew for a node that is long dead.
 *
 * G7 rests on this order: a note is withdrawn in the database *before* its node is answered again. So a master that
 * finds a note after its election knows that nobody has answered that node since, as nobody else can withdraw it now.
 */
import { isError } from "../../core/errors.ts";
import { OneAtATime } from "../../core/flow/one-at-a-time.ts";
import { Retried } from "../../core/log/retried.ts";
import type { NodeRecord } from "../../store/job-store.ts";
import type { MasterContext } from "../context.ts";

/** While the database's clock and this machine's differ by more, notes of other masters count for nothing. */
const MAX_DOUBT_MS = 60_000;

export class UnheardNodes {
  private readonly context: MasterContext;
  private readonly notes: Retried;
  private readonly withdrawals: Retried;
  /** What the database says, or may say, by number: since when, in cluster time. */
  private readonly noted = new Map<number, number>();
  private readonly writes = new OneAtATime<number, void>();

  constructor(context: MasterContext) {
    this.context = context;
    this.notes = new Retried(context, "could not note since when a node has not been heard");
    this.withdrawals = new Retried(context, "could not withdraw a note about a node; it is not answered yet");
  }

  load(nodes: readonly NodeRecord[]): void {
    for (const { number, unheardSince } of nodes) {
      if (unheardSince !== null) this.noted.set(number, unheardSince);
    }
  }

  /** Since when nobody has answered a node, by this process's monotonic clock: not later than `latest`. */
  since(number: number, latest: number): number {
    const { time, clock } = this.context;
    const noted = this.noted.get(number);
    const isInDoubt = Math.abs(time.now() - clock.now()) > MAX_DOUBT_MS;
    if (noted === undefined || isInDoubt) return latest;
    return Math.min(latest, clock.monotonic() - (time.now() - noted));
  }

  /** Keeps for the next master that a node has not been answered since then (monotonic). */
  note(number: number, since: number): void {
    if (this.noted.has(number) || this.writes.has(number)) return;
    const { store, epoch, time, clock } = this.context;
    const at = Math.round(time.now() - (clock.monotonic() - since));
    void this.writes
      .alone(number, async () => {
        // Before the write, whose outcome may stay unknown: it has to be withdrawn then, too.
        this.noted.set(number, at);
        await store.noteUnheard(epoch, [{ number, since: at }]);
        this.notes.succeeded();
      })
      .catch((error: unknown) => {
        if (isError(error, "stale_epoch")) this.context.deposed();
        else this.notes.failed(error, { node: number });
      });
  }

  /** Before a node is answered. False: the database does not answer, so the node must not be answered either. */
  async withdraw(number: number): Promise<boolean> {
    if (!this.noted.has(number) && !this.writes.has(number)) return true;
    const { store, epoch } = this.context;
    try {
      await this.writes.alone(number, async () => {
        if (!this.noted.has(number)) return;
        await store.noteUnheard(epoch, [{ number, since: null }]);
        this.withdrawals.succeeded();
        this.noted.delete(number);
      });
      return true;
    } catch (error) {
      if (isError(error, "stale_epoch")) throw error;
      this.withdrawals.failed(error, { node: number });
      return false;
    }
  }
}
