import { expect, test } from "vitest";
import { silenceOf } from "../../../../src/coordination/standing.ts";
import type { Silence } from "../../../../src/core/readiness/silence.ts";
import type { GetJobResponse } from "../../../../src/gen/elasticjob/v1/node_service_pb.ts";
import { StandingNews } from "../../../../src/master/nodes/standing-news.ts";
import { ManualClock } from "../../../fixtures/manual-clock.ts";
import { masterContext } from "../../../fixtures/master-context.ts";

function rig() {
  const clock = new ManualClock();
  const state: { silence: Silence | null } = { silence: null };
  const news = new StandingNews(masterContext({ clock, silence: () => state.silence }));
  const told: (Silence | null)[] = [];
  const reader = {
    send: ({ message }: GetJobResponse) => {
      if (message.case !== "standing") throw new Error(`it was told ${message.case}`);
      told.push(silenceOf(message.value));
    },
  };
  return { clock, state, news, told, reader };
}

const silent = (ms: number): Silence => ({ who: "MySQL", how: "silent", ms });

test("tells at once that the master would not answer, again each second, and at once that it would", () => {
  const { clock, state, news, told, reader } = rig();
  for (let passed = 0; passed < 3_000; passed += 100) {
    clock.move(100);
    news.tick([reader]);
  }
  expect(told).toEqual([]);
  for (let ms = 2_000; ms < 4_500; ms += 100) {
    state.silence = silent(ms);
    news.tick([reader]);
    clock.move(100);
  }
  expect(told).toEqual([silent(2_000), silent(3_000), silent(4_000)]);
  state.silence = null;
  news.tick([reader]);
  news.tick([reader]);
  expect(told.slice(3)).toEqual([null]);
});

test("tells at once that it waits for another, or in another way", () => {
  const { state, news, told, reader } = rig();
  const others: Silence[] = [silent(2_000), { who: "Redis", how: "silent", ms: 2_400 }];
  others.push({ who: "Redis", how: "errors", ms: 2_500 }, { who: "Redis", how: "unconfirmed", ms: 2_600 });
  for (const silence of others) {
    state.silence = silence;
    news.tick([reader]);
  }
  expect(told).toEqual(others);
});

test("tells a node that has just come, if there is anything to tell", () => {
  const { state, news, told, reader } = rig();
  news.greet(reader);
  expect(told).toEqual([]);
  state.silence = silent(2_700);
  news.greet(reader);
  expect(told).toEqual([silent(2_700)]);
});
