/**
 * Adds on one stream: a request there costs a fraction of a call. Opened by the first add, closed when there
 * has been none for a while, so that it holds up no process that is done.
 */
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { type Queued, WakeableQueue } from "../core/flow/wakeable-queue.ts";
import {
  type AddJobsRequest,
  type AddJobsResponse,
  JobService,
  type StreamAddJobsRequest,
  type StreamAddJobsResponse,
} from "../gen/elasticjob/v1/job_service_pb.ts";
import { addFailure } from "./add-outcome.ts";
import { isUnreachable } from "./retry-policy.ts";

const IDLE_MS = 200;
/** How long the server may take to end its side of a stream that was closed. */
const CLOSE_MS = 1_000;

export interface StreamedAdds {
  readonly request: AddJobsRequest;
  readonly idempotencyKey: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Waiting {
  settle(response: AddJobsResponse): void;
  fail(error: ConnectError): void;
}

export class AddStream {
  private readonly transport: Transport;
  private readonly headers: () => Record<string, string>;
  private open: OpenStream | null = null;
  private mayStream = true;

  constructor(transport: Transport, headers: () => Record<string, string>) {
    this.transport = transport;
    this.headers = headers;
  }

  /** False: the server is older than this client, and does not know such streams. */
  get isSupported(): boolean {
    return this.mayStream;
  }

  /**
   * Rejects with `unavailable` when the stream breaks: what became of the jobs is then not known. With
   * `unimplemented`, nothing was done, and no stream will be.
   */
  send(adds: StreamedAdds): Promise<AddJobsResponse> {
    const stream = this.open ?? this.openStream();
    return stream.send(adds);
  }

  private openStream(): OpenStream {
    // First: they may be refused, and a stream that never ran would stay open.
    const headers = this.headers();
    const stream = new OpenStream((failure) => {
      if (this.open === stream) this.open = null;
      if (failure?.code === Code.Unimplemented) this.mayStream = false;
    });
    this.open = stream;
    void stream.run(this.transport, headers);
    return stream;
  }
}

class OpenStream {
  private readonly closed: (failure: ConnectError | null) => void;
  private readonly waiting = new Map<number, Waiting>();
  private readonly unsent = new WakeableQueue<StreamAddJobsRequest>();
  private readonly abort = new AbortController();
  private lastCall = 0;
  private isClosed = false;
  /** Closes it when it was idle; once closed, gives the server up. */
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `closed` is called once, when it takes no more requests; null: because it was idle. */
  constructor(closed: (failure: ConnectError | null) => void) {
    this.closed = closed;
  }

  send({ request, idempotencyKey, timeoutMs, signal }: StreamedAdds): Promise<AddJobsResponse> {
    clearTimeout(this.timer);
    const call = ++this.lastCall;
    return new Promise((resolve, reject) => {
      let unsent: Queued<StreamAddJobsRequest> | null = null;
      const expire = () => waiting.fail(new ConnectError("no answer in time", Code.DeadlineExceeded));
      const cancel = () => waiting.fail(ConnectError.from(signal?.reason, Code.Canceled));
      const timer = setTimeout(expire, timeoutMs);
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", cancel);
        this.waiting.delete(call);
        // A stream that is stuck would keep what nobody waits for any more.
        if (unsent !== null) this.unsent.remove(unsent);
        if (this.waiting.size > 0 || this.isClosed) return;
        this.timer = setTimeout(() => this.close(null), IDLE_MS);
      };
      const waiting: Waiting = {
        settle(response) {
          end();
          resolve(response);
        },
        fail(error) {
          end();
          reject(error);
        },
      };
      this.waiting.set(call, waiting);
      if (signal?.aborted) return cancel();
      signal?.addEventListener("abort", cancel, { once: true });
      const $typeName = "elasticjob.v1.StreamAddJobsRequest";
      unsent = this.unsent.push({ $typeName, call, idempotencyKey, request, timeoutMs });
    });
  }

  /** Until it is closed or broken; then every request that waits has failed. Never rejects. */
  async run(transport: Transport, headers: Record<string, string>): Promise<void> {
    let failure = new ConnectError("the stream of adds has ended", Code.Unavailable);
    try {
      const method = JobService.method.streamAddJobs;
      const { signal } = this.abort;
      const { message: answers } = await transport.stream(method, signal, 0, headers, this.unsent);
      for await (const answer of answers) this.answered(answer);
    } catch (error) {
      failure = ConnectError.from(error);
    }
    this.close(failure);
    clearTimeout(this.timer);
    for (const waiting of [...this.waiting.values()]) waiting.fail(failureOfEach(failure));
  }

  private answered({ call, response, failure }: StreamAddJobsResponse): void {
    const waiting = this.waiting.get(call);
    if (failure !== undefined) waiting?.fail(addFailure(failure));
    else if (response !== undefined) waiting?.settle(response);
    else waiting?.fail(new ConnectError("the server's answer is empty", Code.Internal));
  }

  private close(failure: ConnectError | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.closed(failure);
    this.unsent.end();
    this.timer = setTimeout(() => this.abort.abort(), CLOSE_MS);
  }
}

/** What broke a stream says nothing of a single request; unless none would have been taken. */
function failureOfEach(failure: ConnectError): ConnectError {
  switch (failure.code) {
    case Code.Unauthenticated:
    case Code.PermissionDenied:
    case Code.Unimplemented:
      return failure;
    default: {
      const cause = isUnreachable(failure) ? failure : undefined;
      return new ConnectError(failure.rawMessage, Code.Unavailable, failure.metadata, undefined, cause);
    }
  }
}
