import { expect, test } from "vitest";
import { ownSecrets } from "../../../src/node/own-secrets.ts";
import { createScrubber } from "../../../src/node/scrubber.ts";

test("secrets that change are known, as they are and as they were", () => {
  let now = 0;
  let value = "of-yesterday";
  const scrubber = ownSecrets(
    () => [["API_TOKENS", value]],
    () => now,
  );
  expect(scrubber().text("of-yesterday of-tomorrow")).toBe("[secret API_TOKENS] of-tomorrow");
  value = "of-tomorrow";
  now = 1_000;
  expect(scrubber().text("of-yesterday of-tomorrow")).toBe("[secret API_TOKENS] [secret API_TOKENS]");
});

test("what the folder's scrubber has left of one is known, also of a secret that comes into the folder later", () => {
  let now = 0;
  let folder = createScrubber([]);
  const scrubber = ownSecrets(
    () => [["MYSQL_PASSWORD", "dbpassword-0815"]],
    () => now,
    () => folder,
  );
  const shown = () =>
    scrubber().text(folder.text(`mysql://me:dbpassword-0815@host ${btoa("dbpassword-0815")}`));
  expect(shown()).toBe("mysql://me:[secret MYSQL_PASSWORD]@host [secret MYSQL_PASSWORD]");
  folder = createScrubber([["db", "dbpassword"]]);
  now = 1_000;
  expect(shown()).toBe("mysql://me:[secret MYSQL_PASSWORD]@host [secret MYSQL_PASSWORD]");
});

test("one scrubber serves until something has changed", () => {
  let now = 0;
  const scrubber = ownSecrets(
    () => [["MYSQL_PASSWORD", "dbpassword-0815"]],
    () => now,
  );
  const first = scrubber();
  now = 1_000;
  expect(scrubber()).toBe(first);
});
