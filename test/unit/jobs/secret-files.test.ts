import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkSecretsFolder, readAllSecrets, readSecretFile } from "../../../src/jobs/secret-files.ts";
import { FolderSecrets } from "../../../src/node/folder-secrets.ts";

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
  expect(readAllSecrets(folder).secrets).toEqual([
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
  expect(readAllSecrets(folder).secrets.map(([found]) => found)).toContain("stripe");
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
  for (let number = 0; number < 1_000; number++) writeFileSync(join(folder, `secret-${number}`), "of many");
  expect(() => checkSecretsFolder(folder)).toThrow("has 1001 files; at most 1000 are accepted");
  rmSync(join(folder, "secret-7"));
  writeFileSync(join(folder, ".hidden"), "no secret");
  expect(() => checkSecretsFolder(folder)).not.toThrow();
});

test("a thread knows the secrets that lie there, those that it has read since, and those that were there before", () => {
  let now = 0;
  const secrets = new FolderSecrets(folder, () => now);
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

test("of files that come later, the first thousand are searched for, and that there are more is told once", () => {
  let now = 0;
  const told: number[] = [];
  const secrets = new FolderSecrets(
    folder,
    () => now,
    (files) => void told.push(files),
  );
  const look = (text: string) => {
    now += 1_000;
    return secrets.scrubber.text(text);
  };
  for (let number = 1_000; number < 1_999; number++)
    writeFileSync(join(folder, `s${number}`), `value-${number}`);
  expect(look("value-1000 value-1150 value-1998")).toBe("[secret s1000] [secret s1150] [secret s1998]");
  expect(told).toEqual([]);
  writeFileSync(join(folder, "zz"), "beyond-them-all");
  expect(look("beyond-them-all")).toBe("beyond-them-all");
  expect(look("beyond-them-all")).toBe("beyond-them-all");
  expect(told).toEqual([1_001]);
  // Whoever is given it has it searched for.
  secrets.read("zz");
  expect(look("beyond-them-all")).toBe("[secret zz]");
  rmSync(join(folder, "zz"));
  look("");
  writeFileSync(join(folder, "zz"), "beyond-them-all");
  look("");
  expect(told).toEqual([1_001, 1_001]);
});

test("a secret that lies there is known, however many have been replaced since", () => {
  let now = 0;
  const secrets = new FolderSecrets(folder, () => now);
  for (let number = 0; number < 2_010; number++) {
    writeFileSync(join(folder, "other"), `value-number-${number}`);
    secrets.read("other");
    if (number % 500 > 0) continue;
    now += 1_000;
    expect(secrets.scrubber.text("sk_live_0123456789")).toBe("[secret stripe]");
  }
  expect(secrets.scrubber.text("sk_live_0123456789")).toBe("[secret stripe]");
  expect(secrets.scrubber.text("value-number-2009")).toBe("[secret other]");
});

test("a thread without a folder has none, and says so", () => {
  const secrets = new FolderSecrets(null, () => 0);
  expect(() => secrets.read("stripe")).toThrow(
    "the secret stripe is not on this node: it has no SECRETS_DIR",
  );
  expect(secrets.scrubber.text("sk_live_0123456789")).toBe("sk_live_0123456789");
});
