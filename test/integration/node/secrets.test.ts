import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Logger } from "../../../src/core/logger.ts";
import { DEFAULT_BUILT_IN_SETTINGS } from "../../../src/jobs/built-in.ts";
import { FolderSecrets } from "../../../src/node/folder-secrets.ts";
import { ownSecrets } from "../../../src/node/own-secrets.ts";
import { type PoolRig, startRig } from "./pool-rig.ts";

const HANDLERS = new URL("./handlers/secrets.ts", import.meta.url).href;
const KEY = "sk_live_0123456789_abcdef";
const OWN = "password-of-the-database";
const OWN_WITH_ANOTHER = `${KEY}-0815-and-more`;

let folder: string;
let rig: PoolRig;
let logged: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "job-secrets-"));
  writeFileSync(join(folder, "stripe"), `${KEY}\n`);
  logged = [];
  const note = (fields: object, message: string) => void logged.push(JSON.stringify({ ...fields, message }));
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const now = () => performance.now();
  const found = new FolderSecrets(folder, now);
  const scrubber = ownSecrets(
    () => [
      ["MYSQL_PASSWORD", OWN],
      ["REDIS_PASSWORD", OWN_WITH_ANOTHER],
    ],
    now,
    () => found.scrubber,
  );
  rig = await startRig({
    handlersUrl: HANDLERS,
    builtIn: { ...DEFAULT_BUILT_IN_SETTINGS, secretsFolder: folder },
    scrubber,
    logger,
  });
});
afterEach(async () => {
  await rig.stop();
  rmSync(folder, { recursive: true });
});

const run = (handler: string, payload: unknown) => rig.run(handler, { payload: JSON.stringify(payload) }).end;
const reference = { key: { $secret: "stripe" } };

describe("a reference in a payload", () => {
  test("is the secret, for the handler alone", async () => {
    expect(await run("measures", reference)).toEqual({ kind: "succeeded", output: `${KEY.length}` });
  });

  test("is the secret as it is by now", async () => {
    expect(await run("measures", reference)).toMatchObject({ output: `${KEY.length}` });
    writeFileSync(join(folder, "stripe"), "of-tomorrow-and-later");
    expect(await run("measures", reference)).toMatchObject({ output: "21" });
    expect(await run("returns", reference)).toMatchObject({
      output: '{"[secret stripe]":[{"key":"[secret stripe]"},"{\\"key\\":{\\"$secret\\":\\"stripe\\"}}"]}',
    });
  });

  test("to a secret that is not there fails the attempt, and says what is missing", async () => {
    expect(await run("measures", { key: { $secret: "github" } })).toMatchObject({
      kind: "failed",
      isPermanent: false,
      error: {
        message: "payload.key: the secret github is not on this node: it has no such file in SECRETS_DIR",
      },
    });
  });

  test("stays a reference for the built-in handlers that would show it", async () => {
    expect(await run("echo", reference)).toMatchObject({ output: JSON.stringify(reference) });
  });
});

describe("nothing of a secret is left by", () => {
  const secrets: [name: string, payload: unknown, value: string][] = [
    ["of the folder", reference, KEY],
    ["of the node itself", { key: OWN }, OWN],
    ["of the node, with one of the folder in it", { key: OWN_WITH_ANOTHER }, "-0815-and-more"],
  ];
  describe.each(secrets)("a handler that has one %s, and", (_, payload, value) => {
    test.each([
      "returns",
      "throws",
      "throwsText",
      "returnsMuch",
      "throwsMuch",
      "basic",
      "shouts",
      "shoutsMuch",
      "allocates",
      "parses",
    ])("%s", async (handler) => {
      const end = JSON.stringify(await run(handler, payload));
      expect(end).toContain("[secret ");
      for (const form of [
        value,
        value.slice(0, 9),
        btoa(value).slice(0, 12),
        btoa(`user:${value}`).slice(8, 20),
      ])
        expect(end).not.toContain(form);
    });

    test("ends its thread with it", async () => {
      const end = JSON.stringify(await run("rejects", payload));
      expect(end).toContain("nobody waits for [secret ");
      expect(logged.join()).toContain("nobody waits for [secret ");
      expect(end + logged.join()).not.toContain(value);
    });
  });

  test("a handler that reads the file of one that it was not given", async () => {
    expect(await run("reads", { path: join(folder, "stripe") })).toMatchObject({
      output: '"[secret stripe]\\n"',
    });
  });
});
