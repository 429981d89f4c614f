/**
 * Schemas as JSON Schema, for whoever wants to know what a handler takes without its code. Libraries make them, each in its way, or not
 * at all: then there is none, and all else goes on.
 */

import type { Contract } from "./contract.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** Of one handler; JSON text, empty: none. */
export interface HandlerSchemas {
  readonly handler: string;
  /** Of what jobs are added with. */
  readonly payload: string;
  /** Of what is read of their results. */
  readonly output: string;
}

export interface ToldSchemas {
  readonly schemas: readonly HandlerSchemas[];
  /** Such as "greet.payload (70000 bytes)": too large to be told. */
  readonly leftOut: readonly string[];
}

export const MOST_SCHEMA_BYTES = 64 * 1024;
export const MOST_TOTAL_BYTES = 4 * 1024 * 1024;

const TARGET = "draft-2020-12";
/** Of Zod and Valibot: what JSON Schema has no word for, as a Date, is anything there. */
const LENIENT = { unrepresentable: "any", errorMode: "ignore" };

/** Of each handler of the contract, by name; what is too large is left out, and said. */
export function jsonSchemasOf(contract: Contract): ToldSchemas {
  const schemas: HandlerSchemas[] = [];
  const leftOut: string[] = [];
  let left = MOST_TOTAL_BYTES;
  const take = (name: string, text: string): string => {
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > MOST_SCHEMA_BYTES || bytes > left) {
      leftOut.push(`${name} (${bytes} bytes)`);
      return "";
    }
    left -= bytes;
    return text;
  };
  for (const handler of Object.keys(contract).sort()) {
    const { payload, output } = contract[handler] ?? {};
    schemas.push({
      handler,
      payload: take(`${handler}.payload`, jsonSchemaText(payload, "input")),
      output: take(`${handler}.output`, jsonSchemaText(output, "output")),
    });
  }
  return { schemas: schemas.filter(({ payload, output }) => payload + output !== ""), leftOut };
}

/** Empty: the library makes none. */
function jsonSchemaText(schema: StandardSchema | undefined, side: "input" | "output"): string {
  if (schema === undefined) return "";
  for (const make of waysOf(schema, side)) {
    try {
      const text = JSON.stringify(make());
      if (text?.startsWith("{")) return text;
    } catch {
      // It can't be said in JSON Schema, or not in this way.
    }
  }
  return "";
}

/** That of Standard JSON Schema first, then those that the libraries had before. */
function waysOf(schema: StandardSchema, side: "input" | "output"): (() => unknown)[] {
  const standard = () => Reflect.get(schema["~standard"], "jsonSchema");
  return [
    () => call(standard(), side, { target: TARGET }),
    () => call(standard(), side, { target: TARGET, libraryOptions: LENIENT }),
    () => call(schema, "toJSONSchema", { io: side, ...LENIENT }),
    () => call(side === "input" ? Reflect.get(schema, "in") : Reflect.get(schema, "out"), "toJsonSchema"),
  ];
}

function call(of: unknown, name: string, ...given: readonly unknown[]): unknown {
  return (of as Readonly<Record<string, (...given: readonly unknown[]) => unknown>>)[name]?.(...given);
}
