/** A node's stream: nothing of it is taken in before its hello is, since that says which claims it holds. */
import type { StreamHandler } from "../../coordination/network.ts";
import { ElasticJobError } from "../../core/errors.ts";
import type { GetJobRequest, Hello } from "../../gen/elasticjob/v1/node_service_pb.ts";

export function helloFirst<Session>(on: {
  greet(hello: Hello): Promise<Session>;
  take(session: Session, message: GetJobRequest): Promise<void>;
  /** The stream has ended. Without a session there is nothing to end. */
  depart(session: Session): void;
  /** `session`: null before the hello is taken in. */
  failed(error: unknown, session: Session | null): void;
}): StreamHandler {
  let session: Session | null = null;
  let closed = false;
  // One after another, until the hello is taken in.
  let last: Promise<void> = Promise.resolve();
  /** Its hello was not taken in: what else comes on it means nothing. */
  let isRefused = false;
  const failed = (error: unknown) => {
    isRefused = session === null;
    on.failed(error, session);
  };
  return {
    message: (message) => {
      if (session !== null) return on.take(session, message).catch(failed);
      last = last
        .then(async () => {
          if (closed || isRefused) return;
          if (session !== null) return on.take(session, message);
          if (message.message.case !== "hello") {
            throw new ElasticJobError("invalid_argument", "message: the first one must be hello");
          }
          session = await on.greet(message.message.value);
          if (closed) on.depart(session);
        })
        .catch(failed);
      return undefined;
    },
    closed: () => {
      closed = true;
      if (session !== null) on.depart(session);
    },
  };
}
