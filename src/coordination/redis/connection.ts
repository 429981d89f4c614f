/**
 * Redis within a time limit: a command is answered, or fails as `unavailable` before the limit. A link on
 * which nothing has been answered for a while is thrown away for a new one: a connection whose peer is
 * frozen or gone without a word would otherwise look open for minutes, and a cluster client that could not
 * find its servers at the start does not look again by itself.
 */
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { ErrorReply } from "redis";
import { ElasticJobError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { Answers } from "../../core/readiness/answers.ts";
import { createLink, type RedisLink } from "./link.ts";
import { refusalIn } from "./redis-refusal.ts";
import { tlsAdvice } from "./redis-tls.ts";
import type { RedisTarget } from "./redis-url.ts";

export interface ConnectionOptions {
  readonly target: RedisTarget;
  /** As its URL says, read from the files that it names; null: in the clear. */
  readonly tls: TlsOptions | null;
  readonly channel: string;
  readonly commandTimeoutMs: number;
  readonly logger: Logger;
  readonly onMessage: (message: string) => void;
}

const RETRY_DELAY_MS = 500;
/** What is refused where it is the connection itself, or its subscription. */
const CONNECTION = "connection";

export class RedisConnection {
  readonly answers = new Answers("Redis", () => performance.now());
  private readonly options: ConnectionOptions;
  private link: RedisLink | null = null;
  private retryTimer: NodeJS.Timeout | null = null;
  /** When the first of the failures in a row happened; null: the last command was answered. */
  private failingSince: number | null = null;
  private reachable: boolean | null = null;
  /** Why it cannot be reached, as the network said. Null: nothing was heard of that. */
  private why: string | null = null;
  /** Resolves when a link has been opened, or could not be, for the first time. */
  private readonly heard = Promise.withResolvers<void>();
  /** Whether it has ever been reached. */
  private wasThere = false;
  private closed = false;

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  open(): void {
    const { target, tls, channel, commandTimeoutMs, onMessage } = this.options;
    const link = createLink(target, { commandTimeoutMs, tls, onError: (error) => this.noteBroken(error) });
    this.link = link;
    link
      .connect()
      .then(() => {
        // A link that is thrown away while it connects does not hear of it.
        if (this.link !== link) link.destroy();
        else return link.subscribe(channel, onMessage);
      })
      .then(() => {
        if (this.link !== link) return;
        this.answers.granted(CONNECTION);
        this.noteReachable();
      })
      .catch((error: unknown) => {
        if (this.link !== link || this.closed) return;
        this.noteBroken(error);
        this.replace(link);
      });
  }

  async send(key: string, ...args: readonly string[]): Promise<unknown> {
    const link = this.link;
    const what = args.slice(0, args[0] === "EVAL" ? 2 : 1).join(" ");
    if (link === null) throw unavailable(this.why ?? "not connected", undefined);
    try {
      // A failure before that could not say why.
      const sent = this.heard.promise.then(() => link.send(key, args));
      const reply = await withinLimit(sent, this.options.commandTimeoutMs);
      this.failingSince = null;
      this.answers.answered();
      this.answers.granted(what);
      this.noteReachable();
      return reply;
    } catch (error) {
      this.answers.failed(error instanceof ErrorReply);
      const refusal = refusalIn(error);
      if (refusal !== null) this.answers.refused(what, refusal);
      // That is an answer, if an unwelcome one (loading, read-only, …): the link itself works.
      if (!(error instanceof ErrorReply)) this.noteFailure(link, error);
      throw unavailable(
        refusal ?? (error instanceof ErrorReply ? messageOf(error) : (this.why ?? messageOf(error))),
        error,
      );
    }
  }

  close(): void {
    this.closed = true;
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.retryTimer = null;
    this.discard();
  }

  private noteFailure(link: RedisLink, error: unknown): void {
    if (this.closed || this.link !== link) return;
    this.noteUnreachable(error);
    const now = performance.now();
    this.failingSince ??= now;
    if (now - this.failingSince >= 2 * this.options.commandTimeoutMs) this.replace(link);
  }

  private replace(link: RedisLink): void {
    if (this.link !== link) return;
    this.failingSince = null;
    this.discard();
    this.retryTimer = setTimeout(() => this.open(), RETRY_DELAY_MS);
  }

  private discard(): void {
    const link = this.link;
    this.link = null;
    try {
      link?.destroy();
    } catch {
      // It was not open yet, or is closed already.
    }
  }

  private noteBroken(error: unknown): void {
    const advice = tlsAdvice(error, this.options.tls !== null, this.wasThere);
    const refusal = refusalIn(error);
    if (refusal !== null) this.answers.refused(CONNECTION, refusal);
    this.why = refusal ?? (advice === null ? messageOf(error) : `${messageOf(error)}; ${advice}`);
    this.noteUnreachable(error);
  }

  /** Whoever calls is told with each failure, and is the one to warn: here it would be said a second time. */
  private noteReachable(): void {
    this.heard.resolve();
    this.why = null;
    this.wasThere = true;
    if (this.reachable === true || this.closed) return;
    this.reachable = true;
    this.options.logger.debug({}, "Redis is in reach");
  }

  private noteUnreachable(error: unknown): void {
    this.heard.resolve();
    if (this.reachable === false || this.closed) return;
    this.reachable = false;
    this.options.logger.debug({ error }, "Redis is out of reach; trying until it is back");
  }
}

function withinLimit<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function unavailable(what: string, cause: unknown): ElasticJobError {
  return new ElasticJobError("unavailable", `Redis: ${what}`, { cause });
}

/** An AggregateError, as refused connections are, has no message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  if (!(error instanceof Error)) return String(error);
  return error.message === "" ? error.name : error.message;
}
