import { expect, test } from "vitest";
import { ChangedJobs } from "../../../../src/master/memory/changed-jobs.ts";

test("tells those who watch a job of its changes, and nobody of others'", () => {
  const jobs = new ChangedJobs();
  const heard: string[] = [];
  jobs.watch(1, () => heard.push("first"));
  const stop = jobs.watch(1, () => heard.push("second"));
  jobs.watch(2, () => heard.push("other"));
  jobs.changed(1);
  expect(heard).toEqual(["first", "second"]);
  stop();
  jobs.changed(1);
  jobs.changed(3);
  expect(heard).toEqual(["first", "second", "first"]);
});

test("a watcher that stops at a change does not keep the others from hearing of it", () => {
  const jobs = new ChangedJobs();
  const heard: string[] = [];
  const stop = jobs.watch(1, () => {
    heard.push("once");
    stop();
  });
  jobs.watch(1, () => heard.push("always"));
  jobs.changed(1);
  jobs.changed(1);
  expect(heard).toEqual(["once", "always", "always"]);
});
