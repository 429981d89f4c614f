/**
 * What handlers take and give, apart from the handlers: a page or another service can have it, and check what it adds,
 * without the code that runs it. Schemas are of any library that knows Standard Schema, as Zod, Valibot and ArkType do.
 */

import { quote } from "../core/errors.ts";
import { ACCEPTED_HANDLER_NAMES, isHandlerName, RUN_JOB } from "../core/handler-name.ts";
import type { JsonOf } from "./json-of.ts";
import type { SchemaInput, SchemaOutput, StandardSchema } from "./standard-schema.ts";

/** What one handler takes and gives. What has no schema is not checked. */
export interface HandlerContract {
  /** A job keeps the payload as it was given; the handler has what the schema makes of it: defaults, dates. */
  readonly payload?: StandardSchema;
  /** Of what the handler returns; kept is what the schema makes of it. */
  readonly output?: StandardSchema;
}

/** By the handlers' names. */
export type Contract = Readonly<Record<string, HandlerContract>>;

/** What a job is added with. */
export type GivenPayload<H> = H extends { readonly payload: infer S extends StandardSchema }
  ? SchemaInput<S>
  : // oxlint-disable-next-line typescript/no-explicit-any -- without a schema, its shape is between the sender and the handler
    any;

/** What the handler has of it. */
export type HandledPayload<H> = H extends { readonly payload: infer S extends StandardSchema }
  ? SchemaOutput<S>
  : // oxlint-disable-next-line typescript/no-explicit-any -- as above
    any;

/** What the handler returns. */
export type Returned<H> = H extends { readonly output: infer S extends StandardSchema }
  ? SchemaInput<S>
  : unknown;

/** What is read of the job's result: it has been JSON. */
export type ReadOutput<H> = H extends { readonly output: infer S extends StandardSchema }
  ? JsonOf<SchemaOutput<S>>
  : unknown;

const PARTS: readonly string[] = ["payload", "output"];
/** More names in one message help nobody. */
const MAX_NAMED = 10;

/** Checks and types it. */
export function defineContract<const C extends Contract>(contract: C): C {
  checkContract(contract, "defineContract");
  return contract;
}

/** Throws a TypeError with what is wrong; `asker`: who is told. */
export function checkContract(contract: unknown, asker: string): asserts contract is Contract {
  if (!isObject(contract))
    throw new TypeError(`${asker}: a contract is an object of handlers by their names`);
  const names = Object.keys(contract);
  if (names.length === 0) throw new TypeError(`${asker}: the contract names no handlers`);
  const wrong = names.filter((name) => !isHandlerName(name));
  if (wrong.length > 0) {
    const named = wrong.slice(0, MAX_NAMED).map(quote).join(" and ");
    throw new TypeError(`${asker}: ${named} can't be a handler's name; ${ACCEPTED_HANDLER_NAMES}`);
  }
  for (const [name, parts] of Object.entries(contract)) {
    const problem = name === RUN_JOB ? "takes jobs of any handler, and has no contract" : partsProblem(parts);
    if (problem !== null)
      throw new TypeError(`${asker}: ${name}${problem.startsWith(".") ? "" : " "}${problem}`);
  }
}

function partsProblem(parts: unknown): string | null {
  if (!isObject(parts)) return "must be an object with payload, output or both, which are schemas";
  for (const [part, schema] of Object.entries(parts)) {
    if (!PARTS.includes(part)) return `.${part} is not known; payload and output are accepted`;
    if (schema !== undefined && !isSchema(schema)) {
      return `.${part} is no Standard Schema; one of Zod 3.24, Valibot 1, ArkType 2 or later is, for example`;
    }
  }
  return null;
}

/** A schema of ArkType is a function. */
function isSchema(value: unknown): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = Reflect.get(value, "~standard");
  return isObject(standard) && standard["version"] === 1 && typeof standard["validate"] === "function";
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
