import { afterEach, beforeEach, expect, test } from "vitest";
import type { MasterContext } from "../../../../src/master/context.ts";
import { ConnectedNodes } from "../../../../src/master/nodes/connected-nodes.ts";
import { KnownHandlers } from "../../../../src/master/nodes/known-handlers.ts";
import type { HandlerRecord, JobStore } from "../../../../src/store/job-store.ts";
import { settled } from "../../../../src/testing/settled.ts";
import { NOW } from "../../../fixtures/job-fixture.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext, openTestStore } from "../../../fixtures/master-context.ts";
import { sessionOf } from "../../../fixtures/node-session.ts";

const HOUR = 3_600_000;

let opened: Awaited<ReturnType<typeof openTestStore>>;
let clock: ManualClock;
let end: AbortController;
let context: MasterContext;
let nodes: ConnectedNodes;
let known: KnownHandlers;
let writes: HandlerRecord[][];
let fault: Error | null;
let isTrusted: boolean;
beforeEach(async () => {
  opened = await openTestStore();
  clock = new ManualClock();
  end = new AbortController();
  writes = [];
  fault = null;
  const store: JobStore = {
    ...opened.store,
    noteHandlers: async (epoch, handlers) => {
      if (fault !== null) throw fault;
      writes.push([...handlers]);
      await opened.store.noteHandlers(epoch, handlers);
    },
  };
  isTrusted = true;
  context = masterContext({ store, clock, ended: end.signal, trusted: () => isTrusted });
  nodes = new ConnectedNodes();
  known = new KnownHandlers(context, nodes);
});
afterEach(async () => {
  end.abort();
  await opened.close();
});

async function run(): Promise<void> {
  await known.load();
  void known.run();
  await settled();
}

async function comes(incarnation: string, handlers: string[], runJob = false) {
  const { session } = sessionOf({ incarnation, handlers, runJob });
  nodes.add(session, []);
  known.offered(session);
  await settled();
  return async () => {
    nodes.remove(session);
    known.left(session);
    await settled();
  };
}

const stored = async () =>
  new Map((await opened.store.readHandlers()).map((one) => [one.name, one.lastOffered]));

test("a new name is written once, and known to the next master", async () => {
  await run();
  await comes("1", ["work", "mail"]);
  await comes("2", ["work"]);
  expect(writes).toEqual([
    [
      { name: "work", lastOffered: NOW },
      { name: "mail", lastOffered: NOW },
    ],
  ]);
  const next = new KnownHandlers(context, new ConnectedNodes());
  expect(next.lastOfferedAt("work")).toBeNull();
  await next.load();
  expect(next.lastOfferedAt("work")).toBe(NOW);
});

test("what is offered all the time is written every hour, what the last node of it left at once", async () => {
  await run();
  const leave = await comes("1", ["work"]);
  const other = await comes("2", ["work"]);
  clock.move(HOUR - 1);
  await settled();
  expect(writes).toHaveLength(1);
  clock.move(1);
  await settled();
  expect(writes.slice(1)).toEqual([[{ name: "work", lastOffered: NOW + HOUR }]]);
  clock.move(1000);
  await leave();
  expect(writes).toHaveLength(2);
  await other();
  expect(writes.slice(2)).toEqual([[{ name: "work", lastOffered: NOW + HOUR + 1000 }]]);
  expect(known.whyNotOffered("work")).toBe("no node is connected");
});

test("a write that fails is tried again", async () => {
  fault = new Error("no answer");
  await run();
  await comes("1", ["work"]);
  expect(known.lastOfferedAt("work")).toBe(NOW);
  expect(await stored()).toEqual(new Map());
  fault = null;
  clock.move(5_000);
  await settled();
  expect(await stored()).toEqual(new Map([["work", NOW]]));
});

test("without trust nothing is written, until there is", async () => {
  isTrusted = false;
  await run();
  await comes("1", ["work"]);
  expect(writes).toEqual([]);
  isTrusted = true;
  clock.move(5_000);
  await settled();
  expect(await stored()).toEqual(new Map([["work", NOW]]));
});

test("one that nobody has offered for so long is forgotten, one that is offered is not", async () => {
  await run();
  const leave = await comes("1", ["old"]);
  await comes("2", ["work"]);
  await leave();
  expect(await known.forget(NOW - 1)).toBe(0);
  expect(await known.forget(NOW)).toBe(1);
  expect(known.lastOfferedAt("old")).toBeNull();
  expect([...(await stored()).keys()]).toEqual(["work"]);
});

test("a node that takes all stands for every name", async () => {
  await run();
  const leave = await comes("1", ["work"], true);
  await leave();
  expect(known.lastOfferedAt("anything")).toBe(NOW);
  expect([...(await stored()).keys()].sort()).toEqual(["runJob", "work"]);
});

test("names of which no job can be added, and more than ten thousand, are not kept", async () => {
  await run();
  await comes("1", ["a name", "é", "x".repeat(129), ...Array.from({ length: 10_050 }, (_, n) => `h${n}`)]);
  expect([...known.names()]).toHaveLength(10_000);
  expect(known.lastOfferedAt("a name")).toBeNull();
});
