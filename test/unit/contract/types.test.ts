import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod";
import { createClient } from "../../../src/client/client.ts";
import type { ElasticJobClient } from "../../../src/client/elastic-job-client.ts";
import type { AddedJob } from "../../../src/client/job-json.ts";
import { createClient as createLazily } from "../../../src/client/lazy-client.ts";
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

describe("a client knows handlers", () => {
  const offline = { baseUrl: "http://127.0.0.1:1" };
  interface Given {
    readonly hello: string;
    readonly year: number;
  }

  test("of a contract", () => {
    const use = (client = createClient({ ...offline, contract: zodContract })) => {
      expectTypeOf(client.add<"greet">)
        .parameter(0)
        .toEqualTypeOf<"greet">();
      const added = client.add("greet", { name: "you", at: new Date() }, { priority: 3, timeout: "1m" });
      expectTypeOf(added).resolves.toEqualTypeOf<AddedJob>();
      expectTypeOf(added.result()).resolves.toEqualTypeOf<Given>();
      // @ts-expect-error -- there is no such handler
      void client.add("greed", { name: "you", at: 1 });
      // @ts-expect-error -- nor such a name
      void client.add("greet", { name: 5, at: 1 });
      // @ts-expect-error -- a payload there must be
      void client.add("greet");
      // @ts-expect-error -- and the handler stands before it
      void client.add("greet", { name: "you", at: 1 }, { handler: "other" });
    };
    expectTypeOf(use).toBeFunction();
  });

  test("of what defineJobs returns for a contract, and of plain handlers", () => {
    const jobs = defineJobs(valibotContract, { greet: ({ name, at }) => ({ hello: name, year: year(at) }) });
    const plain = defineJobs({
      dated: async () => ({ at: new Date(), n: 1 }),
      shaped: (job: HandlerJob<{ readonly id: number }>) => job.payload.id,
      runJob: () => 1,
    });
    const use = () => {
      const client = createClient<typeof jobs>(offline);
      expectTypeOf(
        client.add("greet", { name: "you", at: "2026-01-01" }).result(),
      ).resolves.toEqualTypeOf<Given>();
      // @ts-expect-error -- it has no time
      void client.add("greet", { name: "you" });
      const other = createClient<typeof plain>(offline);
      expectTypeOf(other.add("dated").result()).resolves.toEqualTypeOf<{
        readonly at: string;
        readonly n: number;
      }>();
      expectTypeOf(other.add("shaped", { id: 1 }).result()).resolves.toEqualTypeOf<number>();
      // @ts-expect-error -- runJob is no handler's name
      void other.add("runJob");
    };
    expectTypeOf(use).toBeFunction();
  });

  test("of any name, where it was told of none", () => {
    const use = async (client: ElasticJobClient = createClient(offline)) => {
      expectTypeOf(await client.add("echo").result()).toBeUnknown();
      await client.add("echo", { any: 1 }, { name: "n" });
    };
    expectTypeOf(use).toBeFunction();
  });

  test("whether it is loaded at once or when it is first called", () => {
    const lazy = () => createLazily({ ...offline, contract: zodContract });
    expectTypeOf(lazy).returns.toEqualTypeOf<ElasticJobClient<typeof zodContract>>();
  });
});
