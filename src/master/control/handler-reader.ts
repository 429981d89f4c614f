import { isHandlerName, RUN_JOB } from "../../core/handler-name.ts";
import type { MasterContext } from "../context.ts";
import type { HandlerForm, HandlerPage, HandlerView } from "../job-api.ts";
import type { ConnectedNodes } from "../nodes/connected-nodes.ts";
import type { KnownHandlers } from "../nodes/known-handlers.ts";
import type { KnownSchemas } from "../nodes/known-schemas.ts";

export interface HandlerReaderParts {
  readonly nodes: ConnectedNodes;
  readonly known: KnownHandlers;
  readonly schemas: KnownSchemas;
}

/** A deploy has two versions of a module; who has more learns enough from these. */
const MOST_FORMS = 10;
const MOST_NODE_IDS = 100;
/** Of a page's schemas: the handler that reaches it is the last. So a page is below the 4 MiB that gRPC's clients take. */
const PAGE_CHARACTERS = 512 * 1024;

/** The handlers as callers see them: what nodes offer, or have offered, and what those take and give. */
export class HandlerReader {
  readonly #context: Pick<MasterContext, "time">;
  readonly #parts: HandlerReaderParts;

  constructor(context: Pick<MasterContext, "time">, parts: HandlerReaderParts) {
    this.#context = context;
    this.#parts = parts;
  }

  read(after: string, limit: number): HandlerPage {
    const names = this.#names().filter((name) => name > after);
    const handlers: HandlerView[] = [];
    let characters = 0;
    for (const name of names) {
      if (handlers.length === limit || characters >= PAGE_CHARACTERS) break;
      const handler = this.#handler(name);
      for (const { payloadSchema, outputSchema } of handler.forms) {
        characters += payloadSchema.length + outputSchema.length;
      }
      handlers.push(handler);
    }
    return { handlers, hasMore: handlers.length < names.length };
  }

  #names(): string[] {
    const { nodes, known } = this.#parts;
    const names = new Set([...known.names(), ...nodes.handlers()].filter(isHandlerName));
    if (nodes.all().some((node) => node.runJob)) names.add(RUN_JOB);
    return [...names].sort();
  }

  #handler(name: string): HandlerView {
    const { nodes, known, schemas } = this.#parts;
    const forms = new Map<string, Omit<HandlerForm, "nodes"> & { readonly nodeIds: string[] }>();
    for (const node of nodes.all()) {
      if (name === RUN_JOB ? !node.runJob : !node.handlers.has(name)) continue;
      const { payload: payloadSchema = "", output: outputSchema = "" } = schemas.of(node, name) ?? {};
      const key = JSON.stringify([payloadSchema, outputSchema]);
      const form = forms.get(key) ?? { payloadSchema, outputSchema, nodeIds: [] };
      form.nodeIds.push(node.nodeId);
      forms.set(key, form);
    }
    const now = this.#context.time.now();
    return {
      name,
      lastOffered: forms.size > 0 ? now : (known.lastOfferedAt(name) ?? now),
      forms: [...forms.values()].slice(0, MOST_FORMS).map((form) => ({
        ...form,
        nodes: form.nodeIds.length,
        nodeIds: form.nodeIds.sort().slice(0, MOST_NODE_IDS),
      })),
    };
  }
}
