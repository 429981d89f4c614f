/** What a client knows of handlers by their types: of a contract, or of the handlers themselves. */
import type { Contract, GivenPayload, ReadOutput } from "../contract/contract.ts";
import type { JsonOf } from "../contract/json-of.ts";

type PlainHandler = (job: never, ctx: never) => unknown;

/** A contract, or what `defineJobs` returns. */
export type Described = Contract | Readonly<Record<string, PlainHandler>>;

/** `runJob` has no name that a job can be added for. */
export type HandlerNames<D> = Exclude<Extract<keyof D, string>, "runJob">;

/** What a job for it is added with. */
export type PayloadOf<H> = H extends { readonly contract: infer C }
  ? GivenPayload<C>
  : H extends (job: infer Job, ctx: never) => unknown
    ? Job extends { readonly payload: infer Payload }
      ? Payload
      : unknown
    : GivenPayload<H>;

/** What its result has. */
export type OutputOf<H> = H extends { readonly contract: infer C }
  ? ReadOutput<C>
  : H extends (job: never, ctx: never) => infer Returned
    ? JsonOf<Awaited<Returned>>
    : ReadOutput<H>;
