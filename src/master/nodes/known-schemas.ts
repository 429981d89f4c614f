/**
 * What the handlers of connected nodes take and give. Nodes with the same module have the same schemas, and say so by a digest: one
 * of them is asked, and what it tells is kept for all, as long as one of them is connected. In memory only: the next master asks again.
 */
import type { HandlerSchemas } from "../../gen/elasticjob/v1/node_service_pb.ts";
import type { MasterContext } from "../context.ts";
import type { ConnectedNodes } from "./connected-nodes.ts";
import type { NodeSession } from "./node-session.ts";

/** Nodes tell at most 4 MiB, and have few different modules. */
const MOST_CHARACTERS = 64 * 1024 * 1024;

interface SchemaSet {
  readonly byHandler: ReadonlyMap<string, HandlerSchemas>;
  readonly characters: number;
}

export class KnownSchemas {
  readonly #context: Pick<MasterContext, "logger">;
  readonly #nodes: ConnectedNodes;
  /** By digest. */
  readonly #sets = new Map<string, SchemaSet>();
  /** Who was asked for those of a digest. */
  readonly #asked = new Map<string, NodeSession>();

  constructor(context: Pick<MasterContext, "logger">, nodes: ConnectedNodes) {
    this.#context = context;
    this.#nodes = nodes;
  }

  /** A node has come. */
  offered(session: NodeSession): void {
    const { schemasDigest: digest } = session;
    if (digest === "" || this.#sets.has(digest) || this.#asked.get(digest)?.isOpen) return;
    this.#asked.set(digest, session);
    session.askForSchemas();
  }

  told(session: NodeSession, handlers: readonly HandlerSchemas[]): void {
    const { schemasDigest: digest, nodeId } = session;
    if (this.#asked.get(digest) !== session) return;
    this.#asked.delete(digest);
    const characters = handlers.reduce((sum, { payload, output }) => sum + payload.length + output.length, 0);
    let kept = characters;
    for (const set of this.#sets.values()) kept += set.characters;
    if (kept > MOST_CHARACTERS) {
      this.#context.logger.warn(
        { nodeId, characters },
        "the schemas of a node are not kept: there are too many",
      );
      return;
    }
    const byHandler = new Map(handlers.map((schemas) => [schemas.handler, schemas]));
    this.#sets.set(digest, { byHandler, characters });
  }

  /** A node has gone. */
  left(session: NodeSession): void {
    const { schemasDigest: digest } = session;
    if (digest === "") return;
    const other = this.#nodes.all().find((node) => node.schemasDigest === digest);
    if (this.#asked.get(digest) === session) this.#asked.delete(digest);
    if (other === undefined) this.#sets.delete(digest);
    else this.offered(other);
  }

  /** Undefined: the node has not told any. */
  of({ schemasDigest }: NodeSession, handler: string): HandlerSchemas | undefined {
    return this.#sets.get(schemasDigest)?.byHandler.get(handler);
  }
}
