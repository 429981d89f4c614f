import { standingMessage } from "../../coordination/standing.ts";
import type { GetJobResponse } from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { MasterContext } from "../context.ts";

/** Also a sign of life: without its database a master may be unable to answer pings. */
const REPEAT_MS = 1_000;

interface Reader {
  send(message: GetJobResponse): void;
}

/**
 * Tells the nodes whether this master would answer an add now, so that each of them, and an edge that asks it, says so.
 * At once, not with the answer to a node's next ping: a fault is told everywhere within 3 s.
 */
export class StandingNews {
  private readonly context: MasterContext;
  /** Whom the nodes know it to wait for; empty: nobody. */
  private told = "";
  private toldAt = Number.NEGATIVE_INFINITY;

  constructor(context: MasterContext) {
    this.context = context;
  }

  /** To a node that has just come: it takes the master for ready until it is told otherwise. */
  greet(reader: Reader): void {
    const silence = this.context.silence();
    if (silence === null) return;
    reader.send(standingMessage(silence));
    // The next tick tells all of them, be it that this is over.
    this.told = "some know";
  }

  tick(readers: Iterable<Reader>): void {
    const silence = this.context.silence();
    const now = this.context.clock.monotonic();
    const news = silence === null ? "" : `${silence.who} ${silence.how}`;
    if (news === this.told && (silence === null || now < this.toldAt + REPEAT_MS)) return;
    this.told = news;
    this.toldAt = now;
    const message = standingMessage(silence);
    for (const reader of readers) reader.send(message);
  }
}
