import { expect, test } from "vitest";
import { namesSilence, type Silence, sentenceOf } from "../../../../src/core/readiness/silence.ts";
import {
  masterSilence,
  whyFollowerIsNotReady,
  whyNobodyIsMaster,
} from "../../../../src/core/readiness/why-not-ready.ts";

const silent = (who: string, ms: number): Silence => ({ who, how: "silent", ms });
const [redis, mysql] = [silent("Redis", 400), silent("MySQL", 900)];

test.each<[Silence, string]>([
  [silent("Redis", 4_090), "Redis has not answered for 4.1 s"],
  [silent("MySQL", 0), "MySQL has not answered for 0.0 s"],
  [{ who: "MySQL", how: "errors", ms: 3_249 }, "MySQL has answered with errors only for 3.2 s"],
  [
    { who: "Redis", how: "refused", ms: 4_090, why: "NOPERM eval" },
    "Redis has refused this node for 4.1 s: NOPERM eval",
  ],
  [{ who: "Redis", how: "unconfirmed", ms: 61_000 }, "Redis has not confirmed the lock for 61.0 s"],
])("says it in a sentence, which is known again: %o", (silence, sentence) => {
  expect(sentenceOf(silence)).toBe(sentence);
  expect(namesSilence(`try again (${sentence})`)).toBe(true);
});

test("finds no such sentence in other errors", () => {
  for (const text of ["the master did not answer in time", "MySQL is out of reach: no answer", ""]) {
    expect(namesSilence(text)).toBe(false);
  }
});

const master = { lock: redis, store: mysql, lockTtlMs: 3_000, trustEndsInMs: 2_000 };

test.each<[string, Partial<typeof master>, Silence | null]>([
  ["all answer", {}, null],
  ["the database is silent for less than 2 s", { store: silent("MySQL", 1_999) }, null],
  ["the database is silent", { store: silent("MySQL", 2_000) }, silent("MySQL", 2_000)],
  ["Redis is silent, and trust lasts", { lock: silent("Redis", 2_299), trustEndsInMs: 500 }, null],
  [
    "trust is about to end, as Redis is silent",
    { lock: silent("Redis", 2_301), trustEndsInMs: 499 },
    silent("Redis", 2_301),
  ],
  [
    "trust has ended, and both are silent",
    { lock: silent("Redis", 9_000), store: silent("MySQL", 9_000), trustEndsInMs: -6_000 },
    silent("Redis", 9_000),
  ],
  [
    "Redis answers, and does not renew the lock",
    { trustEndsInMs: -200 },
    { who: "Redis", how: "unconfirmed", ms: 3_000 },
  ],
])("of a master: %s", (_, facts, silence) => {
  expect(masterSilence({ ...master, ...facts })).toEqual(silence);
});

const follower = {
  master: "10.0.0.3:7070",
  heardMsAgo: 300,
  pingEveryMs: 1_200,
  told: null,
  unreached: null,
  strangeHolder: null,
  lock: redis,
};

test.each<[string, Partial<Parameters<typeof whyFollowerIsNotReady>[0]>, string | null]>([
  ["the master answers", {}, null],
  ["the master's ping is a little late", { heardMsAgo: 1_999 }, null],
  ["the master is silent", { heardMsAgo: 2_930 }, "master 10.0.0.3:7070 has not answered for 2.9 s"],
  ["pings are far apart", { heardMsAgo: 6_700, pingEveryMs: 6_000 }, null],
  [
    "pings are far apart, and one was not answered",
    { heardMsAgo: 6_800, pingEveryMs: 6_000 },
    "master 10.0.0.3:7070 has not answered for 6.8 s",
  ],
  [
    "the master says that it can't",
    { told: silent("MySQL", 3_200) },
    "MySQL has not answered for 3.2 s, says master 10.0.0.3:7070",
  ],
  [
    "the master says that it can't, and then nothing",
    { told: silent("MySQL", 3_200), heardMsAgo: 2_100 },
    "master 10.0.0.3:7070 has not answered for 2.1 s",
  ],
  [
    "nobody can take the place of a master that is gone",
    { heardMsAgo: 5_000, lock: silent("Redis", 4_100) },
    "master 10.0.0.3:7070 has not answered for 5.0 s, and Redis has not answered for 4.1 s",
  ],
  ["Redis is silent to this node, and the master does well", { lock: silent("Redis", 9_000) }, null],
  [
    "no connection to it can be made, though one is open",
    { unreached: "no connection to 10.0.0.3:7070: its certificate is out of date" },
    "no connection to 10.0.0.3:7070: its certificate is out of date",
  ],
  [
    "the master is silent, and a stranger holds the lock",
    { heardMsAgo: 5_000, strangeHolder: "the lock is a stranger's" },
    "no master: the lock is a stranger's",
  ],
  ["a stranger holds the lock, and the master goes on", { strangeHolder: "a stranger's" }, null],
  ["it was only just announced", { heardMsAgo: null }, "this node has not joined master 10.0.0.3:7070 yet"],
])("of a follower: %s", (_, facts, why) => {
  expect(whyFollowerIsNotReady({ ...follower, ...facts })).toBe(why);
});

test.each<[Silence, Silence, string]>([
  [redis, mysql, "no master: no node holds the lock"],
  [silent("Redis", 4_100), mysql, "no master: Redis has not answered for 4.1 s"],
  [
    redis,
    { who: "MySQL", how: "errors", ms: 2_000 },
    "no master: MySQL has answered with errors only for 2.0 s",
  ],
  [
    { who: "Redis", how: "refused", ms: 300, why: "NOPERM: give it rules" },
    mysql,
    "no master: Redis has refused this node for 0.3 s: NOPERM: give it rules",
  ],
])("where nobody is master: %o, %o", (lock, store, why) => {
  expect(whyNobodyIsMaster({ lock, store, vacancy: "no node holds the lock" })).toBe(why);
});
