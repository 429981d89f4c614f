import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod";
import { defineContract } from "../../../src/contract/contract.ts";
import type { JsonOf } from "../../../src/contract/json-of.ts";
import { defineJobs, type HandlerJob } from "../../../src/jobs/define-jobs.ts";
import { arktypeContract, valibotContract, zodContract } from "../../fixtures/contracts.ts";

interface Handled {
  name: string;
  times: number;
  at: Date;
}
const year = (at: Date) => at.getUTCFullYear();

describe("handlers of a contract are typed", () => {
  test("by Zod", () => {
    defineJobs(zodContract, {
      greet: async (payload, { job, attempt }) => {
        expectTypeOf(payload).toEqualTypeOf<Handled>();
        expectTypeOf(job).toEqualTypeOf<HandlerJob>();
        expectTypeOf(attempt).toEqualTypeOf<number>();
        return { hello: payload.name, year: year(payload.at) };
      },
    });
  });

  test("by Valibot", () => {
    defineJobs(valibotContract, {
      greet: (payload) => {
        expectTypeOf(payload).toEqualTypeOf<Handled>();
        return { hello: payload.name, year: year(payload.at) };
      },
    });
  });

  test("by ArkType", () => {
    defineJobs(arktypeContract, {
      greet: (payload) => {
        expectTypeOf(payload).toEqualTypeOf<Handled>();
        return { hello: payload.name, year: year(payload.at) };
      },
    });
  });

  test("and what they must return", () => {
    const wrong = () =>
      defineJobs(zodContract, {
        // @ts-expect-error -- the year is missing
        greet: (payload) => ({ hello: payload.name }),
      });
    expectTypeOf(wrong).toBeFunction();
  });

  test("none may be missing, or be of another name", () => {
    // @ts-expect-error -- greet is missing
    const none = () => defineJobs(zodContract, {});
    const other = () =>
      // @ts-expect-error -- nobody has asked for greed
      defineJobs(zodContract, { greet: () => ({ hello: "", year: 1 }), greed: () => 1 });
    expectTypeOf([none, other]).toBeArray();
  });

  test("without a schema, a payload is anything, and so is what is returned", () => {
    defineJobs(defineContract({ note: {}, count: { output: z.number() } }), {
      note: (payload) => {
        expectTypeOf(payload).toBeAny();
        return undefined;
      },
      count: (payload) => payload.length as number,
    });
  });
});

describe("what setup returns is typed in the context", () => {
  test("of handlers of a contract", () => {
    defineJobs(
      zodContract,
      {
        greet: (payload, ctx) => {
          expectTypeOf(ctx.resources).toEqualTypeOf<{ pool: string }>();
          return { hello: ctx.resources.pool, year: year(payload.at) };
        },
      },
      { setup: async () => ({ pool: "p" }), teardown: ({ pool }) => pool.length },
    );
  });

  test("of plain handlers", () => {
    defineJobs(
      {
        greet: (job, ctx) => {
          expectTypeOf(job).toEqualTypeOf<HandlerJob>();
          expectTypeOf(ctx.resources).toEqualTypeOf<{ pool: string }>();
        },
      },
      { setup: () => ({ pool: "p" }) },
    );
  });
});

test("what has been JSON has no dates, and no functions", () => {
  interface Given {
    at: Date;
    list: [bigint, { deep?: Date }];
    call: () => void;
  }
  expectTypeOf<JsonOf<Given>>().toEqualTypeOf<{
    readonly at: string;
    readonly list: readonly [number, { readonly deep?: string | undefined }];
  }>();
  expectTypeOf<JsonOf<undefined>>().toEqualTypeOf<undefined>();
  expectTypeOf<JsonOf<"a" | null>>().toEqualTypeOf<"a" | null>();
});
