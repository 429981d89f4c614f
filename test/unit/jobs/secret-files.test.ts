import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkSecretsFolder, readAllSecrets, readSecretFile } from "../../../src/jobs/secret-files.ts";
import { ThreadSecrets } from "../../../src/node/thread-secrets.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "secret-files-"));
  writeFileSync(join(folder, "stripe"), "sk_live_0123456789\n");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a secret is its file's text, without the line end", () => {
  expect(readSecretFile(folder, "stripe")).toBe("sk_live_0123456789");
  writeFileSync(join(folder, "lines"), "one\ntwo\n\n");
  expect(readSecretFile(folder, "lines")).toBe("one\ntwo\n");
});

test("a secret that Kubernetes mounts is a link to a link", () => {
  mkdirSync(join(folder, "..2026"));
  writeFileSync(join(folder, "..2026", "github"), "ghp_0123456789");
  symlinkSync("..2026", join(folder, "..data"));
  symlinkSync(join("..data", "github"), join(folder, "github"));
  expect(readAllSecrets(folder)).toEqual([
    ["github", "ghp_0123456789"],
    ["stripe", "sk_live_0123456789"],
  ]);
});

test.each([
  ["none", () => {}, "the secret none is not on this node: it has no such file in SECRETS_DIR"],
  ["empty", () => writeFileSync(join(folder, "empty"), "\n"), "the secret empty is empty"],
  ["folder", () => mkdirSync(join(folder, "folder")), "the secret folder is no file"],
  ["large", () => writeFileSync(join(folder, "large"), Buffer.alloc(65_537, "a")), "larger than 65536 bytes"],
  ["latin", () => writeFileSync(join(folder, "latin"), Buffer.from([0xe9, 0x65])), "is not UTF-8"],
])("a secret that cannot be used is told: %s", (name, make, message) => {
  make();
  expect(() => readSecretFile(folder, name)).toThrow(message);
  // The others can.
  expect(readAllSecrets(folder).map(([found]) => found)).toContain("stripe");
});

test("a folder that is none is told at the start", () => {
  expect(() => checkSecretsFolder(join(folder, "not"))).toThrow(/^SECRETS_DIR: .* \(ENOENT\)$/);
  expect(() => checkSecretsFolder(join(folder, "stripe"))).toThrow(/\(ENOTDIR\)/);
});

test("a folder that has gone since is told apart from a file that is not in it", () => {
  const gone = join(folder, "gone");
  expect(() => readSecretFile(gone, "stripe")).toThrow(
    `the secret stripe is not on this node: SECRETS_DIR, ${gone}, is not there`,
  );
});

test("a folder of too many files is told at the start", () => {
  for (let number = 0; number < 100; number++) writeFileSync(join(folder, `secret-${number}`), "of many");
  expect(() => checkSecretsFolder(folder)).toThrow("has 101 files; at most 100 are accepted");
  rmSync(join(folder, "secret-7"));
  writeFileSync(join(folder, ".hidden"), "no secret");
  expect(() => checkSecretsFolder(folder)).not.toThrow();
});

test("a thread knows the secrets that lie there, those that it has read since, and those that were there before", () => {
  let now = 0;
  const secrets = new ThreadSecrets(folder, () => now);
  const { scrubber } = secrets;
  expect(scrubber.text("it is sk_live_0123456789")).toBe("it is [secret stripe]");
  writeFileSync(join(folder, "stripe"), "sk_live_of_tomorrow");
  expect(secrets.read("stripe")).toBe("sk_live_of_tomorrow");
  expect(secrets.scrubber.text("sk_live_of_tomorrow, sk_live_0123456789")).toBe(
    "[secret stripe], [secret stripe]",
  );
  writeFileSync(join(folder, "other"), "not-asked-for");
  now = 1_000;
  expect(secrets.scrubber.text("not-asked-for")).toBe("[secret other]");
  rmSync(join(folder, "other"));
  now = 2_000;
  expect(secrets.scrubber.text("not-asked-for")).toBe("[secret other]");
});

test("a thread without a folder has none, and says so", () => {
  const secrets = new ThreadSecrets(null, () => 0);
  expect(() => secrets.read("stripe")).toThrow(
    "the secret stripe is not on this node: it has no SECRETS_DIR",
  );
  expect(secrets.scrubber.text("sk_live_0123456789")).toBe("sk_live_0123456789");
});
